"""Photos as strangers may have them: every format and mode, with metadata.

PNGs are put together here, and TIFFs by tifffile too, because Pillow writes few of the kinds that
it reads.
"""

import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

from support.trials.draw import Draw, Samples, Size
from support.trials.metadata import (
    RESOURCES,
    VIDEO,
    Metadata,
    chunk,
    colour_chunks,
    draw_metadata,
    texts,
)

LAYERS, OLD_RESOURCES = 37724, 34377  # tags of Photoshop


@dataclass
class Photo:
    """A file; is_doubtful: whether it may be refused; faults: why it must be."""

    path: Path
    what: str
    is_doubtful: bool = False
    faults: list[str] = field(default_factory=list)
    is_damaged: bool = False


def draw_photo(draw: Draw, folder: Path) -> Photo:
    size = draw.side(), draw.side()
    write = draw.one_of(
        *(_write_png, _write_png, _write_jpeg, _write_jpeg, _write_webp),
        *(_write_tiff, _write_scientific_tiff, _write_picture),
    )
    photo = write(draw, folder / "photo", size, draw_metadata(draw))
    if draw.chance(0.04):
        _damage(draw, photo)
    return photo


def _damage(draw: Draw, photo: Photo) -> None:
    """Change some bytes, and cut it off somewhere."""
    data = bytearray(photo.path.read_bytes())
    for _ in range(draw.one_of(0, 1, 9)):
        data[draw.whole(0, len(data) - 1)] = draw.whole(0, 255)
    photo.path.write_bytes(data[: draw.whole(1, len(data))])
    photo.what += ", damaged"
    photo.is_doubtful = photo.is_damaged = True


def _packed(samples: Samples, depth: int) -> bytes:
    """Rows of a PNG, none of them filtered."""
    height = samples.shape[0]
    if depth < 8:
        bits = np.unpackbits(samples.astype(np.uint8).reshape(height, -1, 1), axis=2)
        rows = np.packbits(bits[..., 8 - depth :].reshape(height, -1), axis=1)
    else:
        rows = samples.astype(">u2" if depth == 16 else "u1").reshape(height, -1)
        rows = rows.view(np.uint8)
    return b"".join(b"\0" + row.tobytes() for row in rows)


def _write_png(draw: Draw, stem: Path, size: Size, metadata: Metadata) -> Photo:
    """All kinds of the specification (PNG, third edition, sections 8 and 11)."""
    kind = draw.one_of(0, 2, 2, 3, 4, 6)
    depth = draw.one_of(*{0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(kind, (8, 8, 16)))
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    samples = draw.samples(size, channels, 2**depth - 1)
    samples[0, 0, -1] *= draw.whole(0, 1)  # transparent there, where it is alpha
    before, is_doubtful = b"".join(colour_chunks(draw, metadata)), False
    if kind == 3:
        before += chunk(b"PLTE", draw.random.bytes(3 * 2**depth))
    if kind in (0, 2, 3) and draw.chance(0.3):
        colour = samples[draw.whole(0, size[0] - 1), draw.whole(0, size[1] - 1)].astype(">u2")
        alphas = draw.one_of(b"\0", draw.random.bytes(2), b"\xff\0")
        before += chunk(b"tRNS", alphas if kind == 3 else colour.tobytes())
        is_doubtful = kind == 2 and depth == 16  # of which 8 are kept
    if metadata.dpi:
        metre = [round(each / 0.0254) for each in metadata.dpi]
        before += chunk(b"pHYs", struct.pack(">IIB", *metre, draw.whole(0, 1)))
    said = b"".join(texts(draw, metadata))
    passes = [(0, 0, 1, 1)]
    is_interlaced = draw.chance(0.2)
    if is_interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4)]
        passes += [(0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = (samples[y::down, x::right] for y, x, down, right in passes)
    pixels = b"".join(_packed(part, depth) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", size[1], size[0], depth, kind, 0, 0, is_interlaced)
    body = draw.one_of([said, before], [before, said], [before, said], [before])
    body = [*body, chunk(b"IDAT", zlib.compress(pixels)), *([] if said in body else [said])]
    path = stem.with_suffix(draw.one_of(".png", ".png", ".PNG"))
    data = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *body, chunk(b"IEND", b"")]
    path.write_bytes(b"".join(data))
    what = f"PNG of colour type {kind}, {depth} bits{', interlaced' * is_interlaced}"
    return Photo(path, what, is_doubtful)


def _write_jpeg(draw: Draw, stem: Path, size: Size, metadata: Metadata) -> Photo:
    mode = draw.one_of("L", "RGB", "RGB", "RGB", "CMYK")
    picture = _picture(draw, mode, size)
    options = {
        "quality": draw.one_of(1, 30, 75, 90, 95, 100),
        "progressive": draw.chance(0.3),
        "optimize": draw.chance(0.3),
        **metadata.options(),
        **draw.one_of({}, {"comment": b"a comment \xff"}),
        **draw.one_of({}, {"restart_marker_rows": 1}),
    }
    if mode == "RGB":
        options |= draw.one_of({"subsampling": draw.whole(0, 2)}, {"keep_rgb": True})
    path = stem.with_suffix(draw.one_of(".jpg", ".jpeg", ".JPG"))
    picture.save(path, "JPEG", **options)
    data = path.read_bytes()
    if draw.chance(0.15):
        data = _renumbered(data, draw.whole(1, 3))
    if draw.chance(0.1):  # Photoshop's resources, with a thumbnail among them
        block = b"Photoshop 3.0\0" + RESOURCES
        data = data[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + data[2:]
    path.write_bytes(data + draw.one_of(b"", b"", b"", VIDEO))
    return Photo(path, f"JPEG of mode {mode}")


def _renumbered(data: bytes, more: int) -> bytes:
    """A JPEG whose quantization tables have other numbers (ITU T.81, sections B.2.2, B.2.4)."""
    changed, at = bytearray(data), 2
    while changed[at + 1] != 0xDA:  # of the first scan
        kind, length = changed[at + 1], int.from_bytes(changed[at + 2 : at + 4], "big")
        places = range(0)
        if kind == 0xDB:
            places = range(at + 4, at + 2 + length, 65)
        elif kind in (0xC0, 0xC1, 0xC2):
            places = range(at + 12, at + 2 + length, 3)
        for place in places:
            changed[place] = (changed[place] + more) % 4
        at += 2 + length
    return bytes(changed)


def _write_webp(draw: Draw, stem: Path, size: Size, metadata: Metadata) -> Photo:
    mode, is_lossless = draw.one_of("RGB", "RGBA"), draw.chance(0.6)
    path = stem.with_suffix(".webp")
    said = metadata.options()
    said.pop("dpi", None)
    _picture(draw, mode, size).save(path, lossless=is_lossless, exact=draw.chance(0.5), **said)
    return Photo(path, f"{'lossless' if is_lossless else 'lossy'} WebP of mode {mode}")


def _write_tiff(draw: Draw, stem: Path, size: Size, metadata: Metadata) -> Photo:
    """By Pillow."""
    mode = draw.one_of(*("1", "L", "LA", "P", "RGB", "RGB", "RGBA", "I;16", "I;16B"),
                       *("I", "F", "CMYK", "YCbCr"))  # fmt: skip
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = "what is in it"
    if draw.chance(0.5):
        tags[274] = draw.whole(1, 8)
    if draw.chance(0.15):
        tag = draw.one_of(LAYERS, OLD_RESOURCES)
        tags[tag], tags.tagtype[tag] = RESOURCES, 7
    if metadata.xmp:
        tags[700], tags.tagtype[700] = metadata.xmp, 1
    compression = draw.one_of(None, None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd")
    if mode == "1":
        compression = draw.one_of(None, "group3", "group4", "packbits")
    elif mode in ("L", "RGB") and draw.chance(0.15):
        compression = "jpeg"
    options = {"tiffinfo": tags, "compression": compression, "dpi": metadata.dpi}
    options |= {"icc_profile": metadata.icc or None, "big_tiff": draw.chance(0.1)}
    path = stem.with_suffix(draw.one_of(".tif", ".tiff"))
    picture = _picture(draw, mode, size)
    picture.save(path, "TIFF", **{key: value for key, value in options.items() if value})
    return Photo(path, f"TIFF of mode {mode}, {compression or 'not compressed'}")


def _write_scientific_tiff(draw: Draw, stem: Path, size: Size, _: Metadata) -> Photo:
    """By tifffile: kinds of which Pillow may read nothing, or only a part."""
    is_plain = draw.chance(0.5)
    dtype = draw.one_of("u1", "u1", "u2")
    channels = draw.one_of(1, 1, 3)
    if not is_plain:
        dtype = draw.one_of("u1", "u2", "i1", "i2", "u4", "i4", "f2", "f4", "f8")
        channels = draw.one_of(1, 2, 3, 4, 4, 5)
    samples = draw.samples(size, channels, {"1": 127, "2": 32767}.get(dtype[1], 2**31 - 1))
    if dtype[0] == "u":
        samples *= draw.whole(1, 2)
    pixels = (samples / 2**31 if dtype[0] == "f" else samples).astype(dtype)
    photometric = draw.one_of("minisblack", "minisblack", "miniswhite")
    colours = 1
    if channels >= 3:
        photometric, colours = draw.one_of(("rgb", 3), ("rgb", 3), ("minisblack", 1))
    if channels == 4 and draw.chance(0.2):
        photometric, colours = "separated", 4
    more = channels - colours
    options: dict[str, Any] = {
        "photometric": photometric,
        "compression": draw.one_of(None, None, "zlib"),
        "extratags": [(274, 3, 1, draw.whole(1, 8), True)] if draw.chance(0.6) else [],
    }
    if channels > 1:
        options["planarconfig"] = draw.one_of("contig", "contig", "separate")
        options["extrasamples"] = [draw.one_of(0, 1, 2), *[0] * (more - 1)][:more]
    if draw.chance(0.2):
        options["tile"] = (16, 32)
    elif draw.chance(0.3):
        options["rowsperstrip"] = draw.whole(1, 9)
    is_apart = options.get("planarconfig") == "separate"
    pixels = pixels.transpose(2, 0, 1) if is_apart else pixels
    path = stem.with_suffix(".tif")
    pages = draw.one_of(1, 1, 1, 1, 1, 2)
    with tifffile.TiffWriter(
        path, byteorder=draw.one_of("<", ">"), bigtiff=draw.chance(0.1)
    ) as file:
        for _ in range(pages):
            file.write(pixels.squeeze(0 if is_apart else 2) if channels == 1 else pixels,
                       metadata=None, **options)  # fmt: skip
    kind = "planes" if is_apart else "channels"
    photo = Photo(path, f"TIFF of {channels} {kind} {photometric} {dtype}", is_doubtful=True)
    photo.faults = ["pages"] if pages > 1 else []
    return photo


def _write_picture(draw: Draw, stem: Path, size: Size, _: Metadata) -> Photo:
    """Formats that are read, but not written."""
    ending, modes = draw.one_of(
        *((".bmp", "1LPX"), (".gif", "P"), (".gif", "P"), (".ppm", "LX"), (".tga", "LXA")),
        *((".jp2", "LXA"), (".avif", "XA")),
    )
    mode = {"X": "RGB", "A": "RGBA"}.get(letter := draw.one_of(*modes), letter)
    path = stem.with_suffix(ending)
    picture = _picture(draw, mode, size)
    is_moving = ending == ".gif" and draw.chance(0.3)
    others = [_picture(draw, mode, size)] if is_moving else []
    picture.save(path, **({"save_all": True, "append_images": others} if is_moving else {}))
    with suppress(OSError), Image.open(path) as read:  # what is the same twice is one frame
        is_moving = getattr(read, "n_frames", 1) > 1
    return Photo(path, f"{ending} of mode {mode}", True, ["frames"] if is_moving else [])


def _picture(draw: Draw, mode: str, size: Size) -> Image.Image:
    channels = {"LA": 2, "RGB": 3, "YCbCr": 3, "RGBA": 4, "CMYK": 4}.get(mode, 1)
    white = {"I": 2**31 - 1, "I;16": 65535, "I;16B": 65535}.get(mode, 255)
    samples = draw.samples(size, channels, white)
    if mode == "F":
        return Image.fromarray((samples[..., 0] / draw.one_of(1, 255)).astype(np.float32))
    dtype = {"I": "<i4", "I;16": "<u2", "I;16B": ">u2"}.get(mode, "u1")
    stored = "L" if mode == "1" else mode
    picture = Image.frombytes(stored, size[::-1], samples.astype(dtype).tobytes())
    if mode == "P":
        picture.putpalette(draw.random.bytes(3 * 256))
    return picture.convert("1") if mode == "1" else picture
