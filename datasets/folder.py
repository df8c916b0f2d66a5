"""Finds the images in somebody's folder of pictures, and names them.

An image is named by its file without the ending, in composed Unicode (NFC): macOS may take an é for
an e and an accent, and both are one name. What begins with a dot is hidden, as the `._a.png` that
macOS puts beside each file on other disks, and is no image.
"""

import os
from pathlib import Path
from unicodedata import category, normalize

from datasets.errors import DatasetError
from datasets.images import SUFFIXES

OF_SYSTEMS = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
NAMED = 5  # skipped files that a notice names


def is_one_line(name: str) -> bool:
    """Whether a name has no control characters, line breaks or undecodable bytes."""
    return not any(category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)


def pictures(folder: Path) -> dict[str, list[Path]]:
    """The files in formats that are read, by the name of their image; sorted.

    Raises DatasetError if the folder cannot be read.
    """
    found: dict[str, list[Path]] = {}
    for path in _visible(folder):
        if path.suffix.lower() in SUFFIXES:
            found.setdefault(normalize("NFC", path.stem), []).append(path)
    return found


def images_in(folder: Path) -> dict[str, Path]:
    """The file of each image; raises DatasetError if there are none, or names are unusable."""
    found = pictures(folder)
    if not found:
        skipped = f" ({notice})" if (notice := skipped_files(folder)) else ""
        raise DatasetError(
            f"{folder}: holds no image; known endings: {', '.join(SUFFIXES)}{skipped}"
        )
    for name, paths in found.items():
        if not is_one_line(name):
            raise DatasetError(
                f"{folder}: {os.fsencode(paths[0].name)!r} cannot be printed, because it has"
                " control characters or is not UTF-8; rename the file"
            )
        if len(paths) > 1:
            first, second = (path.name for path in paths[:2])
            if normalize("NFC", first) == normalize("NFC", second):  # they look the same
                first, second = ascii(first)[1:-1], ascii(second)[1:-1]
            raise DatasetError(
                f"{folder}: '{first}' and '{second}' would both be named '{name}'; rename one"
            )
    return {name: path for name, (path,) in found.items()}


def skipped_files(folder: Path) -> str:
    """Name the files in formats that are not read; empty if there are none."""
    names = [
        path.name if is_one_line(path.name) else ascii(path.name)
        for path in _visible(folder)
        if path.suffix.lower() not in SUFFIXES and path.name.lower() not in OF_SYSTEMS
    ]
    if not names:
        return ""
    files = "1 file is" if len(names) == 1 else f"{len(names)} files are"
    more = " ..." if len(names) > NAMED else ""
    return f"{files} skipped, in formats that are not read: {', '.join(names[:NAMED])}{more}"


def _visible(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
        return [path for path in paths if not path.name.startswith(".") and not path.is_dir()]
    except FileNotFoundError:
        raise DatasetError(f"{folder}: there is no such folder") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder}: cannot be read as a folder ({error})") from None
