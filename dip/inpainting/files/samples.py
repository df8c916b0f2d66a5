"""Checks how a file stores its samples, where Pillow would change them."""

from PIL import Image, TiffImagePlugin

from dip.errors import InputError

# Tags of TIFF 6.0, and what extra samples are, by the number of the standard.
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANES, EXTRA, FORMAT = 258, 259, 262, 277, 284, 338, 339
PREMULTIPLIED = 1
FORMATS = {1: "unsigned", 2: "signed", 3: "floating-point"}
# Of each mode, the format and the bits of samples that Pillow neither converts nor rounds.
STORED = {"I": (2, 32), "F": (3, 32), "I;16": (1, 16), "I;16B": (1, 16)}
WORDS = {
    **{"1": "black and white", "L": "grey", "LA": "grey with alpha", "P": "a palette"},
    **{"I": "32-bit whole numbers", "I;16": "16-bit grey", "I;16B": "16-bit grey"},
    **{"F": "32-bit floats"},
}


def mode_in_words(mode: str) -> str:
    """A mode of Pillow, with a description."""
    return f"{mode} ({WORDS[mode]})" if mode in WORDS else mode


def check_samples(picture: Image.Image, name: str) -> None:
    """Raises InputError if the pixels of a file could not be given back as they were."""
    if picture.format == "PNG" and picture.mode == "RGB" and loses_depth(picture):
        if "transparency" in picture.info:
            raise InputError(
                f"{name}: its transparent colour has 16 bits, of which 8 are read; save it with an"
                " alpha channel"
            )
        return
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return
    tags, mode = picture.tag_v2, picture.mode
    bits, formats = tags.get(BITS, (1,)), tags.get(FORMAT, (1,))
    if PREMULTIPLIED in tags.get(EXTRA, ()):
        raise InputError(
            f"{name}: its colours are multiplied by its alpha, which cannot be kept; save it with"
            " plain (unassociated) alpha"
        )
    stored = STORED.get(mode)
    wrong_numbers = {(formats[0], bits[0])} != {stored} if stored else formats[0] != 1
    if wrong_numbers:
        kind = FORMATS.get(formats[0], f"format {formats[0]}")
        raise InputError(
            f"{name}: its samples are {bits[0]}-bit {kind} numbers, which cannot be kept; convert"
            " them to 8 or 16 bits unsigned, 32 bits signed or 32-bit floats"
        )
    if stored and tags.get(PHOTOMETRIC) == 0:
        raise InputError(f"{name}: zero is white in it, which cannot be kept; invert it before")
    if tags.get(PLANES) == 2 and not _reads_planes(picture):
        raise InputError(f"{name}: its planes cannot be read; save its samples together")


def _reads_planes(picture: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether Pillow reads the planes of a TIFF correctly."""
    tags = picture.tag_v2
    if tags.get(COMPRESSION, 1) != 1:
        return picture.mode != "LA"
    return set(tags.get(BITS, (1,))) == {8} and tags.get(PHOTOMETRIC) in (1, 2, 3, 5)


def further_channels(picture: Image.Image) -> int:
    """How many channels of a TIFF Pillow leaves out: selections, spot colours."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return 0
    return max(0, picture.tag_v2.get(SAMPLES, 1) - len(picture.getbands()))


def has_16_bits(picture: Image.Image) -> bool:
    """Whether channels have 16 bits in the file of a picture that has not been read yet."""
    return any(";16" in str(tile[3]) for tile in getattr(picture, "tile", []))


def loses_depth(picture: Image.Image) -> bool:
    """Whether Pillow has read 16 bits per channel as 8, as it does with colours."""
    return picture.info.get("is_deep", False) and picture.mode in ("RGB", "RGBA", "LA", "CMYK")
