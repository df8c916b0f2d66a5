"""Image sets: a manifest in `datasets/manifests/`, or a folder of image files.

A manifest's files come with an installed package, lie in the user's cache, where
`dip-bench data fetch` puts them, or in the mirror that DIP_MIRROR names.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from datasets.errors import DatasetError, unknown
from datasets.folder import images_in
from datasets.images import (
    FileName,
    Image,
    Known,
    Published,
    Sha256,
    fit_mask,
    read_image,
    read_mask,
)
from dip.fills.tones import Hole

FOLDER = Path(__file__).parent / "manifests"
MIRROR = "DIP_MIRROR"


class OwnMask(BaseModel):
    """A set's mask for one of its images. sha256: of the file.

    hole: what is missing (see `read_mask`), or `differs`: where the file is not the image.
    has_truth: whether what the image shows in the hole is what ought to be restored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: FileName
    sha256: Sha256
    hole: Hole | Literal["differs"] | None = None
    has_truth: bool = True


class Entry(BaseModel):
    """One image of a manifest. sha256: of the file; licence, citation: where not the set's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: FileName
    height: int
    width: int
    sha256: Sha256
    licence: str = ""
    citation: str = ""
    mask: OwnMask | None = None
    published: tuple[Published, ...] = ()


class Manifest(BaseModel):
    """A set of images: of a package, or of files at an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(exclude=True)
    title: str
    package: str | None = None
    address: str | None = None
    licence: str = ""
    citation: str = ""
    images: dict[str, Entry]

    @model_validator(mode="after")
    def _is_whole(self) -> "Manifest":
        if (self.package is None) == (self.address is None):
            raise ValueError("a set has either a package or an address")
        for name, entry in self.images.items():
            if not (entry.licence or self.licence) or not (entry.citation or self.citation):
                raise ValueError(f"{name} has no licence or no citation")
        return self

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of every file of the set."""
        return dict(self._files())

    def _files(self) -> Iterator[tuple[str, str]]:
        for entry in self.images.values():
            yield entry.file, entry.sha256
            if entry.mask is not None:
                yield entry.mask.file, entry.mask.sha256
            for published in entry.published:
                if published.file is not None:
                    assert published.sha256 is not None  # they come together
                    yield published.file, published.sha256

    def path(self, file: str) -> Path:
        """Where a file of the set is, checked by its hash; found without importing its package.

        Raises DatasetError if it is not there, or not the one it should be.
        """
        for folder in self._folders():
            path = folder / file
            try:
                found = hashlib.sha256(path.read_bytes()).hexdigest()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
            if found != self.files[file]:
                again = f"; `dip-bench data fetch {self.name}` gets it" if self.address else ""
                raise DatasetError(
                    f"{path}: not the expected file (SHA-256 {found}, not"
                    f" {self.files[file]}){again}"
                )
            return path
        if self.package is not None:
            raise DatasetError(f"{path}: the installed package lacks this file")
        raise DatasetError(
            f"{self.name}: {file} is not here; `dip-bench data fetch {self.name}` gets it,"
            f" or {MIRROR} names a folder that holds {self.name}/{file}"
        )

    @property
    def is_here(self) -> bool:
        """Whether all files are; their content is not looked at."""
        folders = self._folders()
        return all(any((folder / file).exists() for folder in folders) for file in self.files)

    def _folders(self) -> list[Path]:
        if self.package is None:
            mirror = os.environ.get(MIRROR)
            local = [Path(mirror) / self.name] if mirror and "://" not in mirror else []
            return [cache_folder() / self.name, *local]
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise DatasetError(f"the package '{self.package}' with the images is not installed")
        return [Path(spec.submodule_search_locations[0])]

    def image(self, name: str, size: int | None = None, *, crop: int | None = None) -> Image:
        """An image with what the set has for it; raises as `load_images`."""
        entry = self.images[name]
        path = self.path(entry.file)
        image = replace(read_image(path, name, size, crop=crop), published=entry.published)
        if entry.mask is None:
            return image
        mask = self.path(entry.mask.file)
        known = fit_mask(self._known(entry.mask, mask, path), image, str(mask))
        return replace(image, own_mask=known, has_truth=entry.mask.has_truth)

    def _known(self, mask: OwnMask, path: Path, image: Path) -> Known:
        if mask.hole != "differs":
            return read_mask(path, mask.hole)
        masked, whole = read_image(path, "masked").pixels, read_image(image, "whole").pixels
        if masked.shape != whole.shape:
            raise DatasetError(f"{path}: has another size, or other channels, than {image}")
        return (masked == whole).all(axis=0)


def cache_folder() -> Path:
    """Where fetched sets are kept, a folder each."""
    return user_cache() / "datasets"


def user_cache() -> Path:
    """Where fetched files are kept for all checkouts.

    Users without a home, as in containers, have it beside temporary files. What lies there is used
    if its hash is right, whoever has put it there.
    """
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        cache = Path(tempfile.gettempdir())
    return cache / "dip-bench"


def manifest_names() -> list[str]:
    """The names of all manifests."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_manifest(name: str) -> Manifest:
    """The manifest of that name; raises DatasetError with the nearest name if there is none."""
    if name not in manifest_names():
        raise DatasetError(unknown("dataset", name, manifest_names()))
    path = FOLDER / f"{name}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise DatasetError(f"{path}: a manifest is 'key: value' lines")
        return Manifest.model_validate({**content, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise DatasetError(f"{path}: {where}: {message}".replace(": : ", ": ")) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: is not YAML that can be read ({error})") from None


def image_names(dataset: str | Path) -> list[str]:
    """The images of a manifest or a folder, which are not read; raises as `load_images`."""
    return list(images_in(dataset) if isinstance(dataset, Path) else load_manifest(dataset).images)


def load_images(
    dataset: str | Path,
    names: Sequence[str] | None = None,
    size: int | None = None,
    *,
    crop: int | None = None,
) -> list[Image]:
    """The images of a manifest (by its name) or a folder (a Path), in the order of `names`.

    A folder's images are named by their files without the ending. size, crop: as for `read_image`.
    Raises DatasetError for an unknown name, a missing or empty folder, and a file that is not here,
    is no image, too small or not the one expected.
    """
    if isinstance(dataset, Path):
        files = images_in(dataset)
        return [read_image(files[name], name, size, crop=crop) for name in _chosen(names, files)]
    manifest = load_manifest(dataset)
    return [manifest.image(name, size, crop=crop) for name in _chosen(names, manifest.images)]


def _chosen(names: Sequence[str] | None, known: Mapping[str, object]) -> list[str]:
    if names is None:
        return list(known)
    chosen = [normalize("NFC", name) for name in names]
    for name in chosen:
        if name not in known:
            raise DatasetError(unknown("image", name, known))
    return chosen
