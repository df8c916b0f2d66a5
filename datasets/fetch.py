"""Gets the files of an image set into the user's cache, each checked by its hash."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch

from datasets.errors import DatasetError
from datasets.manifest import MIRROR, Manifest, cache_folder

TIMEOUT_SECONDS = 30
RETRIES = 1  # after a bad connection or a wrong hash


def fetch(
    manifest: Manifest,
    mirror: str | None = None,
    on_file: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder in the cache that holds the set.

    What is there already is kept, and what is not as expected is replaced; a file appears whole,
    or not at all. mirror: a folder or an address with the file `<set>/<file>`, instead of the
    manifest's own address. on_file is called with the name of each file that is there. Raises
    DatasetError if a file cannot be had, or is not the one expected, or nothing can be kept.
    """
    assert manifest.address is not None  # or it comes with a package
    address, download = _source(manifest, mirror)
    folder = cache_folder() / manifest.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DatasetError(
            f"{folder}: files cannot be kept there ({error.strerror}); XDG_CACHE_HOME names another"
            " cache"
        ) from None
    pooch.get_logger().setLevel("ERROR")
    puller = pooch.create(
        path=folder,
        base_url=address,
        registry={file: f"sha256:{sha256}" for file, sha256 in manifest.files.items()},
        retry_if_failed=RETRIES,
    )
    for file in manifest.files:
        try:
            puller.fetch(file, downloader=download)
        except (OSError, ValueError) as error:  # requests' own are OSErrors
            raise DatasetError(f"{address}{file}: {_reason(error, manifest, mirror)}") from None
        on_file(file)
    return folder


Download = Callable[[str, str, Any], None]  # address, output file, who calls


def _source(manifest: Manifest, mirror: str | None) -> tuple[str, Download]:
    if mirror is None:
        return str(manifest.address), pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS)
    if mirror.startswith(("http://", "https://")):
        address = f"{mirror.rstrip('/')}/{manifest.name}/"
        return address, pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS)
    if not mirror or not Path(mirror).is_dir():
        raise DatasetError(f"the mirror '{mirror}' is neither a folder nor an http address")
    return f"{Path(mirror) / manifest.name}/", _copy


def _copy(file: str, output: str, _: Any) -> None:
    shutil.copyfile(file, output)


def _reason(error: Exception, manifest: Manifest, mirror: str | None) -> str:
    where = f"; without `mirror` and {MIRROR} it comes from {manifest.address}" if mirror else ""
    if isinstance(error, FileNotFoundError):
        return f"there is no such file in the mirror{where}"
    if isinstance(error, ValueError) and "hash" in str(error):
        return "not the expected file, its SHA-256 is another; nothing of it was kept"
    cause = " ".join(str(error).split()).rpartition("Caused by ")[2]
    cause = cause.rpartition('("')[2].rstrip("')\"") if '("' in cause else cause
    return f"cannot be fetched: {cause}{where or '; `mirror` names a folder or another address'}"
