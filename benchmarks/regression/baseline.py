"""The committed baseline: scores of many seeds, what they are of, and why they are the measure.

`<suite>.csv` has a row for each output of each fit, `<suite>.json` all that is not a score, and the
checksum of the scores.
"""

import os
from hashlib import sha256
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.regression.scores import Side, Specification
from benchmarks.system import environment
from benchmarks.system.files import alone_in, begins_with, open_folder, write_atomically
from dip.errors import InputError, explain

FOLDER = Path(__file__).parent / "baselines"
LABEL = "baseline"
NAMES = dict.fromkeys(("method", "output", "image", "mask", "status"), str)


class Environment(BaseModel):
    """A device, and the packages that scores were computed with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str
    versions: dict[str, str]


class Baseline(BaseModel):
    """What stands beside the scores.

    because: why it was written. revision: the commit whose code gave the scores. scores_sha256: of
    the file of the scores.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # `speed`, which earlier ones have

    because: str
    revision: str
    written: str
    environments: list[Environment]
    specification: Specification
    scores_sha256: str


def read_baseline(suite: str, folder: Path = FOLDER) -> tuple[Side, Baseline]:
    """Raises InputError if there is none, or it is not as it was written."""
    csv = folder / f"{suite}.csv"
    try:
        content = csv.read_bytes()
        kept = Baseline.model_validate_json(csv.with_suffix(".json").read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"{error.filename}: there is no baseline; `dip-bench regress --bless"
            ' --because "..."` writes it'
        ) from None
    except OSError as error:
        raise InputError(f"{csv}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        reason = explain(error, Baseline)
        raise InputError(f"{csv.with_suffix('.json')}: {reason}; bless a new baseline") from None
    if sha256(content).hexdigest() != kept.scores_sha256:
        raise InputError(
            f"{csv}: is not what {csv.with_suffix('.json').name} is about (another SHA-256); take"
            " both files of one commit, or bless a new baseline"
        )
    scores = pd.read_csv(csv, dtype=NAMES, keep_default_na=False, na_values=[""])
    environments = [each.model_dump() for each in kept.environments]
    about = {"environments": environments, "revisions": [kept.revision[:12]], "notices": []}
    return Side(LABEL, scores, kept.specification.model_dump(), about), kept


def check_free(suite: str, folder: Path) -> None:
    """Raises InputError if files of others are where the baseline is to be written."""
    beginnings = {".csv": b"method,output,image,mask,", ".json": b'{\n "because"'}
    paths = {folder / f"{suite}{ending}": begin for ending, begin in beginnings.items()}
    there = [path for path in paths if os.path.lexists(path)]
    # Of a damaged one, one of the two is enough to know it by.
    if there and not any(begins_with(path, begin) for path, begin in paths.items()):
        raise InputError(
            f"{there[0]}: was not written by this program; move it away, or name other `baselines`"
        )


def write_baseline(suite: str, side: Side, *, because: str, revision: str, folder: Path) -> Path:
    """Returns the place of the scores. Raises CannotWriteError, and what `check_free` raises."""
    check_free(suite, folder)
    open_folder(folder)
    csv = folder / f"{suite}.csv"
    scores = side.scores.to_csv(index=False, float_format="%.6f")
    about = Baseline(
        because=because,
        revision=revision,
        written=environment.now(),
        environments=side.about["environments"],
        specification=Specification.model_validate(side.specification),
        scores_sha256=sha256(scores.encode()).hexdigest(),
    )
    with alone_in(folder):
        write_atomically(csv, scores)
        write_atomically(csv.with_suffix(".json"), about.model_dump_json(indent=1) + "\n")
    return csv
