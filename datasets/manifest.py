"""Image sets: a manifest in `datasets/manifests/`, or a folder of image files."""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from datasets.errors import DatasetError, unknown
from datasets.images import SUFFIXES, Image, read_image

FOLDER = Path(__file__).parent / "manifests"


class Entry(BaseModel):
    """One image of a manifest. sha256: of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    height: int
    width: int
    sha256: str
    licence: str
    source: str


class Manifest(BaseModel):
    """A set of images that an installed package brings along."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    package: str
    images: dict[str, Entry]

    def path(self, name: str) -> Path:
        """Where the package keeps that image's file; found without importing the package."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise DatasetError(f"the package '{self.package}' with the images is not installed")
        return Path(spec.submodule_search_locations[0]) / self.images[name].file


def manifest_names() -> list[str]:
    """The names of all manifests."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_manifest(name: str) -> Manifest:
    """The manifest of that name; raises DatasetError with the nearest name if there is none."""
    if name not in manifest_names():
        raise DatasetError(unknown("dataset", name, manifest_names()))
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Manifest.model_validate(content)


def load_images(
    dataset: str | Path, names: Sequence[str] | None = None, size: int | None = None
) -> list[Image]:
    """The images of a manifest (by its name) or a folder (a Path), in the order of `names`.

    A folder's images are named by their files without the ending. Raises DatasetError for an
    unknown name, a missing or empty folder, and a file that is no image or not the one expected.
    """
    if isinstance(dataset, Path):
        files = _files_in(dataset)
    else:
        manifest = load_manifest(dataset)
        files = {name: manifest.path(name) for name in manifest.images}
    for name in names or ():
        if name not in files:
            raise DatasetError(unknown("image", name, files))
    chosen = list(files) if names is None else list(names)
    if not isinstance(dataset, Path):
        for name in chosen:
            _verify(files[name], manifest.images[name].sha256)
    return [read_image(files[name], name, size) for name in chosen]


def _files_in(folder: Path) -> dict[str, Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except FileNotFoundError:
        raise DatasetError(f"{folder}: there is no such folder") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder}: cannot be read as a folder ({error})") from None
    if not paths:
        raise DatasetError(f"{folder}: holds no image; known endings: {', '.join(SUFFIXES)}")
    files = {path.stem: path for path in paths}
    for path in paths:
        if files[path.stem] != path:
            raise DatasetError(
                f"{folder}: '{path.name}' and '{files[path.stem].name}' would both be named"
                f" '{path.stem}'; rename one"
            )
    return files


def _verify(path: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise DatasetError(f"{path}: the installed package lacks this file") from None
    if found != sha256:
        raise DatasetError(f"{path}: not the expected file (SHA-256 {found}, not {sha256})")
