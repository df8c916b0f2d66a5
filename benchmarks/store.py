"""The store: one folder per run, named by the job's key, shared by all suites.

A run folder is written beside its place and renamed into it: it is there whole, or not at all. It
holds what was computed, raw, and what is needed to score it: `truth.png`, `mask.png` (white =
known), `coverage.png` (white = pixels of a learned input that a known one reaches), an 8-bit PNG
per checkpoint and output, `trace.csv` and `record.json`.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.jobs import Job
from dip.errors import InputError
from dip.options import RuleOptions

RECORD = "record.json"


class SavedStop(BaseModel):
    """What a stopping rule would have kept if the fit had ended at a checkpoint.

    iteration: the one it chose, whose output is the file `stop-<rule>-<iteration>.png`; stopped_at:
    the one at which its patience was out, if it was; out_of_range: as of `Saved`.
    """

    model_config = ConfigDict(frozen=True)

    iteration: int
    stopped_at: int | None
    out_of_range: float


class Saved(BaseModel):
    """One checkpoint: its outputs are the files `<output>-<iteration>.png`.

    out_of_range: of each output the share of hole pixels with a channel outside [0, 1] before it
    was clamped; stops: by the rule's label.
    """

    model_config = ConfigDict(frozen=True)

    iteration: int
    outputs: tuple[str, ...]
    loss: float | None
    seconds: float
    out_of_range: dict[str, float] = {}
    stops: dict[str, SavedStop] = {}


class Timing(BaseModel):
    """Milliseconds per iteration after the warm-up, and seconds of all iterations together."""

    model_config = ConfigDict(frozen=True)

    seconds: float
    warm_up_iterations: int = 0
    milliseconds_median: float | None = None
    milliseconds_p10: float | None = None
    milliseconds_p90: float | None = None
    peak_memory_mib: float | None = None


class Record(BaseModel):
    """What a run folder says of itself.

    diverged_at: since when the fit has failed; noticed_at: when that was noticed, so that a job
    which ends before has not. rules: the stopping rules that followed the fit, and
    rule_versions their versions by label; stops: answers of those that stopped before it failed.
    uncovered: share of the hole's pixels, in a learned input of the image's size, that no pixel
    which the loss sees reaches; uncovered_reason: why that cannot be told, where it cannot.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    trajectory: dict[str, Any]
    status: Literal["done", "diverged"]
    diverged_at: int | None = None
    diverged_because: str = ""
    noticed_at: int | None = None
    backtracked_at: tuple[int, ...] = ()
    checkpoints: tuple[Saved, ...]
    rules: tuple[RuleOptions, ...] = ()
    rule_versions: dict[str, int] = {}
    stops: dict[str, SavedStop] = {}
    parameters: int | None
    uncovered: float | None = None
    uncovered_reason: str = ""
    timing: Timing
    environment: dict[str, Any]

    @property
    def iterations(self) -> set[int]:
        return {saved.iteration for saved in self.checkpoints}

    def has_followed(self, rule: RuleOptions) -> bool:
        """Whether that rule, as it is today, followed the fit."""
        return self.rule_versions.get(rule.label) == rule.version

    def status_within(self, iterations: Sequence[int]) -> Literal["done", "diverged"]:
        """The status for a job that asks for these iterations: it may end before the trouble."""
        return "done" if self.last_good(iterations) == max(iterations) else "diverged"

    def last_good(self, iterations: Sequence[int]) -> int:
        """The last iteration that counts for a job that asks for these."""
        end = max(iterations)
        if self.noticed_at is None or self.diverged_at is None or end < self.noticed_at:
            return end
        return self.diverged_at - 1


class Store:
    """Run folders below one root, on one machine: leftovers are known by their process' id."""

    def __init__(self, root: Path):
        self.root = root

    def folder(self, key: str) -> Path:
        return self.root / key

    def open_for_writing(self) -> None:
        """Create the root and tidy up after interrupted runs; raises InputError if it cannot."""
        open_folder(self.root)
        for leftover in self.root.glob(".*-*"):
            key, _, pid = leftover.name[1:].rpartition("-")
            # A container's processes have the same ids each time: our own is a leftover too.
            if not pid.isdigit() or (int(pid) != os.getpid() and _alive(int(pid))):
                continue
            if key.startswith("replaced-") and not self.folder(key[9:]).exists():
                leftover.rename(self.folder(key[9:]))
            else:
                shutil.rmtree(leftover, ignore_errors=True)

    def read(self, key: str) -> Record | None:
        """The record of a run, or None if there is none that can be read."""
        try:
            return Record.model_validate_json((self.folder(key) / RECORD).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def satisfies(self, job: Job) -> bool:
        """Whether the stored run holds every checkpoint and rule that the job asks for."""
        record = self.read(job.key)
        if record is None:
            return False
        if not all(record.has_followed(rule) for rule in job.rules):
            return False
        end = record.last_good(job.iterations)
        return {iteration for iteration in job.iterations if iteration <= end} <= record.iterations

    def set_aside(self, key: str) -> None:
        """Take a damaged run out of use, if it still is; its jobs count as missing from now on."""
        aside = self.root / f"damaged-{key}"
        if self.folder(key).exists():
            shutil.rmtree(aside, ignore_errors=True)
            self.folder(key).rename(aside)

    def put(self, key: str, files: Mapping[str, bytes]) -> None:
        """Write a run folder whole, in place of the one that may be there.

        Raises InputError if it cannot be written, as on a full disk; what was there stays.
        """
        partial = self.root / f".{key}-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            for name, content in files.items():
                (partial / name).write_bytes(content)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise InputError(
                f"{self.root}: a run cannot be written ({error.strerror}); earlier ones are intact"
            ) from None
        replaced = self.root / f".replaced-{key}-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            self.folder(key).rename(replaced)
        try:
            partial.rename(self.folder(key))
        except OSError:
            if not self.folder(key).exists():
                raise
            shutil.rmtree(partial)  # another runner was first with the same run
        shutil.rmtree(replaced, ignore_errors=True)


class RunFolder:
    """The pictures of a run. All are (C, H, W) uint8."""

    def __init__(self, folder: Path):
        self.folder = folder

    @cached_property
    def truth(self) -> NDArray[np.uint8]:
        return read_png(self.folder / "truth.png")

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(H, W), True = known."""
        return read_png(self.folder / "mask.png")[0] > 127

    @cached_property
    def reached(self) -> NDArray[np.bool_] | None:
        """(H, W), True = a pixel of a learned input that a known one reaches; None without it."""
        path = self.folder / "coverage.png"
        return read_png(path)[0] > 127 if path.exists() else None

    def restoration(self, output: str, iteration: int) -> NDArray[np.uint8]:
        return read_png(self.folder / file_name(output, iteration))


def file_name(output: str, iteration: int) -> str:
    """Where a run folder keeps an output of a checkpoint."""
    return f"{output.replace(':', '-')}-{iteration:06d}.png"


def read_png(path: Path) -> NDArray[np.uint8]:
    """(C, H, W) uint8; raises OSError if the file is missing or damaged."""
    try:
        with Pillow.open(path) as picture:
            pixels = np.atleast_3d(np.asarray(picture, dtype=np.uint8))
    except SyntaxError as error:  # Pillow, of a broken PNG
        raise OSError(f"{path}: {error}") from None
    return pixels.transpose(2, 0, 1)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A (C, H, W) uint8 image, grey or RGB, as the content of a PNG file."""
    content = BytesIO()
    picture = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Pillow.fromarray(np.ascontiguousarray(picture)).save(content, format="PNG")
    return content.getvalue()


def open_folder(folder: Path) -> None:
    """Create a folder for results; raises InputError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{folder}: results cannot be written there ({error.strerror}); use --out"
        ) from None


def write_atomically(path: Path, content: str) -> None:
    """Write a text file whole; raises InputError if that fails, and leaves what was there."""
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def to_json(content: Any) -> str:
    """JSON for people and machines."""
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
