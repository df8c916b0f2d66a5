"""What may be asked of `dip inpaint` for a photo, drawn from a seed: a hole, an output, options."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from support.trials.draw import Draw, Samples, Size
from support.trials.photos import Photo

OPENED = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
OPENED |= {".tif": "TIFF", ".tiff": "TIFF"}
UNREAD = (8, 8, 1)  # pixels of a hole in what cannot be read
MOSTLY = 0.6  # share of a hole above which a mask may be the wrong way round
SAID = {"--hole-is-white", "--hole-is-black", "--hole-is-transparent"}


@dataclass
class Request:
    """Words of the command line.

    hole: (H, W), True in it, of the photo as it is shown; None where that is not said. is_opened:
    whether it was transparent, and is opaque then. written: the files and folders that it may
    leave, the photo with its hole filled first. is_doubtful: whether it may be refused; faults: why
    it must be.
    """

    words: list[str] = field(default_factory=list)
    hole: NDArray[np.bool_] | None = None
    is_opened: bool = False
    written: list[Path] = field(default_factory=list)
    is_doubtful: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.written[0]


def draw_request(
    draw: Draw, folder: Path, photo: Photo, read: Image.Image | None, shown: Samples | None
) -> Request:
    """Ask for something of a photo.

    read: the photo as Pillow reads it, shown: (H, W, C), its pixels as it is shown; None of what
    cannot be read.
    """
    request = Request(is_doubtful=photo.is_doubtful, faults=[*photo.faults])
    if read is None or shown is None:
        request.faults.append("cannot be read")
        shown = np.zeros(UNREAD, np.uint8)
    elif read.mode in ("LA", "RGBA") and draw.chance(0.2):
        _draw_transparency(request, shown)
    if request.hole is None and draw.chance(0.25):
        _draw_boxes(draw, request, shown.shape[:2])
    elif request.hole is None:
        _draw_mask(draw, request, folder, shown.shape[:2])
    _draw_output(draw, request, folder, photo, read)
    _draw_options(draw, request, folder)
    return request


def _draw_transparency(request: Request, shown: Samples) -> None:
    """What is fully transparent in the photo is its hole."""
    request.hole, request.is_opened = shown[..., -1] == 0, True
    request.words.append("--hole-is-transparent")
    if not request.hole.any() or request.hole.all():
        request.faults.append("no part is transparent")


def _shape(draw: Draw, size: Size) -> NDArray[np.bool_]:
    """A hole: mostly a small part, sometimes nothing or everything."""
    height, width = size
    hole = np.zeros(size, bool)
    kind = draw.one_of("boxes", "boxes", "boxes", "specks", "lines", "edge", "dot", "odd")
    if kind == "boxes":
        for _ in range(draw.whole(1, 3)):
            y, x = draw.whole(0, height - 1), draw.whole(0, width - 1)
            hole[y : y + draw.whole(1, 1 + height // 3), x : x + draw.whole(1, 1 + width // 3)] = 1
    elif kind == "specks":
        hole |= draw.random.random(size) < draw.random.uniform(0, 0.55)
    elif kind == "lines":
        hole[draw.whole(0, 3) :: draw.whole(3, 9)] = True
    elif kind == "edge":
        hole[:, : 1 + width // 5] = True
    elif kind == "dot":
        hole[draw.whole(0, height - 1), draw.whole(0, width - 1)] = True
    elif kind == "odd":
        hole |= draw.random.random(size) < draw.one_of(0, 0.7, 0.95, 1.1)
    return hole


def _draw_boxes(draw: Draw, request: Request, size: Size) -> None:
    height, width = size
    hole = np.zeros(size, bool)
    for _ in range(draw.whole(1, 3)):
        x, y = draw.whole(0, width - 1), draw.whole(0, height - 1)
        w, h = draw.whole(1, 1 + width // 2), draw.whole(1, 1 + height // 2)
        if draw.chance(0.9):
            w, h = min(w, width - x), min(h, height - y)
        hole[y : y + h, x : x + w] = True
        if x + w > width or y + h > height:
            request.faults.append("a box outside")
        request.words += ["--box", f"{x},{y},{w},{h}"]
    if draw.chance(0.04):
        text = draw.one_of("1,2,3", "", "0,0,0,4", "-1,0,2,2", "a,b,c,d", "0,0,9999999999999,1")
        request.words += [f"--box={text}"]
        request.faults.append("no box")
    request.hole = hole
    if hole.all():
        request.faults.append("all is hole")


def _draw_mask(draw: Draw, request: Request, folder: Path, size: Size) -> None:
    hole = _shape(draw, size)
    is_white = draw.chance(0.4)
    if draw.chance(0.05):
        hole = np.pad(hole, [(0, draw.whole(0, 1)), (0, draw.whole(0, 2))])
    kind = draw.one_of("L", "L", "1", "RGB", "RGBA", "P", "deep", "JPEG", "ones", "LA", "floats",
                       "turned", "bmp", "tif", "webp", "CMYK", "layer", "transparent")  # fmt: skip
    path = _write_mask(draw, kind, folder, np.where(hole == is_white, 255, 0).astype(np.uint8))
    request.words.append(str(path))
    if kind == "transparent":
        request.words.append("--hole-is-transparent")
        hole = hole if is_white else ~hole
    elif is_white or draw.chance(0.5):
        request.words.append("--hole-is-white" if is_white else "--hole-is-black")
    if kind == "JPEG":  # whose shades are not quite those that were given
        with Image.open(path) as written:
            hole = (np.array(written) > 127) == is_white
    if kind == "layer":
        request.is_doubtful = True
        return
    if hole.shape != size:
        request.faults.append("mask of another size")
    if not hole.any() or hole.all():
        request.faults.append("all or nothing is hole")
    elif hole.mean() > MOSTLY and not SAID & {*request.words}:
        request.faults.append("most is hole")
    request.hole = hole


def _write_mask(draw: Draw, kind: str, folder: Path, shades: NDArray[np.uint8]) -> Path:
    grey = Image.fromarray(shades)
    path, options = folder / "mask.png", {}
    match kind:
        case "1" | "RGB" | "RGBA" | "LA":
            grey = grey.convert(kind)
        case "P":
            index = Image.frombytes("P", grey.size, (shades < 128).tobytes())
            index.putpalette([255, 255, 255, 0, 0, 0])
            grey = index
        case "deep":
            grey = Image.fromarray(shades.astype(np.uint16) * 257)
        case "JPEG":
            path, options = folder / "mask.jpg", {"quality": draw.whole(60, 100)}
        case "ones":
            grey = Image.fromarray(shades // 255)
        case "floats":
            path, grey = folder / "mask.tif", Image.fromarray(shades.astype(np.float32) / 255)
        case "turned":
            exif = Image.Exif()
            exif[274] = 3
            path, grey, options = folder / "turned.png", grey.rotate(180), {"exif": exif}
        case "bmp" | "tif" | "webp":
            path = folder / f"mask.{kind}"
            options = {"lossless": True} if kind == "webp" else {}
        case "CMYK":
            path, grey = folder / "mask.tif", grey.convert("RGB").convert("CMYK")
        case "layer":  # whose black, white and transparent may mean this or that
            grey.putalpha(Image.fromarray(255 - shades if draw.chance(0.5) else shades))
        case "transparent":
            paint = Image.new("RGB", grey.size, draw.one_of("black", "white", "red"))
            paint.putalpha(Image.fromarray(255 - shades))
            grey = paint
    grey.save(path, **options)
    return path


def _draw_output(
    draw: Draw, request: Request, folder: Path, photo: Photo, read: Image.Image | None
) -> None:
    own = photo.path.suffix if photo.path.suffix.lower() in OPENED else ".png"
    ending = draw.one_of(own, own, own, own, ".png", ".tif", *OPENED, ".PNG", ".TIFF")
    if draw.chance(0.03):
        ending = draw.one_of("", ".gif", ".bmp", ".txt", ".jp2", ".partial")
    out = folder / f"{draw.one_of('out', 'out', 'the out', 'öut', '-o')}{ending}"
    is_forced = draw.chance(0.6)
    if draw.chance(0.03):
        out = folder / "no such folder" / out.name
        request.faults.append("no folder")
    elif draw.chance(0.06):
        out = photo.path
        request.faults += [] if is_forced else ["the photo itself"]
        request.words += ["--force"] * is_forced
    elif draw.chance(0.1):
        out.write_bytes(b"somebody's file")
        request.faults += [] if is_forced else ["a file that exists"]
        request.words += ["--force"] * is_forced
    written = OPENED.get(out.suffix.lower())
    if written is None:
        request.faults.append("an output of no such format")
    if read is None or read.format != written:
        request.is_doubtful = True
    request.written.append(out)
    request.words.append(f"--out={out}")


def _draw_options(draw: Draw, request: Request, folder: Path) -> None:
    words: Any = [
        *(["--stop", rule] for rule in ("none", "es-wmv", "held-out[patience=1]", "es-emv")),
        *(["--context", str(pixels)] for pixels in (1, 2, 1000)),
        *(["--max-side", str(side)] for side in (16, 17, 100)),
        ["--seed", str(draw.whole(0, 2**62))],
    ]
    for _ in range(draw.one_of(0, 0, 1, 2)):
        request.words += draw.one_of(*words)
    for flag, share, name in (
        *(("--preview", 0.05, "now.png"), ("--animation", 0.05, "drawn.gif")),
        *(("--animation", 0.03, "drawn.webp"), ("--save-every", 0.05, "steps")),
    ):
        if draw.chance(share) and flag not in request.words:
            request.words += [flag, *(["2"] if flag == "--save-every" else []), str(folder / name)]
            request.written.append(folder / name)
    if draw.chance(0.04):
        request.words += draw.one_of(
            *(["--iterations", "0"], ["--context", "0"], ["--max-side", "1"], ["--seed", "-1"]),
            *(["--stop", "no-rule"], ["--preset", "none"], ["--set", "a=1"], ["--device", "tpu"]),
            *(["--resume"], ["--preview", "now.txt"], ["--no-such-flag"]),
        )
        request.faults.append("a wrong option")
    if draw.chance(0.1):
        request.words.append("--strict")
        request.is_doubtful = True
