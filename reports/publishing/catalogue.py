"""The list of published results: `reports/published/published.yaml`."""

import re
import shlex
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dip.errors import InputError, explain, unknown
from dip.system.yaml import read_yaml

FOLDER = Path(__file__).parents[1] / "published"
CATALOGUE = "published.yaml"
NAME = re.compile(r"\w[\w.-]*")  # of a folder
PROGRAMS = (["dip-bench"], ["dip"], ["python"])  # that a command may begin with


class Entry(BaseModel):
    """A published result.

    Attributes:
        suite: the suite whose results these are.
        seeds: so many of the suite's seeds only; None: all.
        command: what makes the files, where no suite does.
        files: of a command: what it leaves in the folder of published results, as patterns.
        evidence: pages that show it, or whose sentences rest on it.
        device: what it has to be made on.
        minutes: what making it takes, on two CPU cores or on a GPU.
        worth: the higher, the earlier it is made.
        figures: names of figures that are kept, as patterns without suffix.
        pictures: images whose runs are kept with all pictures, if the images' licence allows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str | None = None
    command: str | None = None
    files: tuple[str, ...] = ()
    evidence: tuple[str, ...] = Field(min_length=1)
    seeds: int | None = Field(default=None, ge=1)
    device: Literal["cpu", "cuda"] = "cpu"
    minutes: float = Field(gt=0, allow_inf_nan=False)
    worth: int
    figures: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_one_source(self) -> "Entry":
        if (self.suite is None) == (self.command is None):
            raise ValueError("name a suite or a command, and not both")
        if self.command is not None:
            if not self.files:
                raise ValueError("name the files that the command leaves")
            if shlex.split(self.command)[:1] not in PROGRAMS:
                raise ValueError("a command begins with dip-bench, dip or python")
        for pattern in self.files:
            if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
                raise ValueError(f"'{pattern}' is no place in the folder of published results")
        return self


def load_catalogue(folder: Path) -> dict[str, Entry]:
    """Read the list, the most valuable first.

    Args:
        folder: the folder of published results.

    Returns:
        Entries by name, which is also the folder that a suite's result has.

    Raises:
        InputError: the list cannot be read, or an entry is not as it should be.
    """
    path = folder / CATALOGUE
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if not isinstance(content, dict) or not content:
        raise InputError(f"{path}: must be a mapping of names to published results")
    entries = {}
    for name, described in content.items():
        if not NAME.fullmatch(str(name)):
            raise InputError(f"{path}: {name}: a name has letters, digits, '-', '_' and '.' only")
        try:
            entries[str(name)] = Entry.model_validate(described)
        except ValidationError as error:
            raise InputError(f"{path}: {name}: {explain(error, Entry)}") from None
    return dict(sorted(entries.items(), key=lambda item: -item[1].worth))


def entry_of(name: str, entries: dict[str, Entry]) -> Entry:
    """The entry of a name; raises InputError if there is none."""
    if name not in entries:
        raise InputError(unknown("published result", name, entries))
    return entries[name]
