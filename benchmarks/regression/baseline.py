"""The committed baseline: scores of many seeds, what they are of, and why they are the measure.

`<suite>.csv` has a row for each output of each fit, `<suite>.json` all that is not a score.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import InputError, environment
from benchmarks.regression.side import COLUMNS, Side
from benchmarks.writing import alone_in, open_folder, to_json, write_atomically

FOLDER = Path(__file__).parent.parent / "baselines"
LABEL = "baseline"
NAMES = dict.fromkeys(("method", "output", "image", "mask", "status"), str)
ABOUT = ("because", "revision", "written", "specification", "environments", "speed")


@dataclass(frozen=True)
class Baseline:
    """because: why it was written. revision: the commit whose code gave the scores. speed: as in
    `benchmarks.regression.speed`."""

    side: Side
    because: str
    revision: str
    written: str
    speed: dict[str, Any]


def read_baseline(suite: str, folder: Path = FOLDER) -> Baseline:
    """Raises InputError if there is none, or none that can be read."""
    csv, about = folder / f"{suite}.csv", folder / f"{suite}.json"
    try:
        scores = pd.read_csv(csv, dtype=NAMES, keep_default_na=False, na_values=[""])
        content = json.loads(about.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{error.filename}: there is no baseline; `python -m benchmarks regress --bless"
            ' --because "..."` writes it'
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{csv.with_suffix('')}: the baseline cannot be read ({error})") from None
    missing = [name for name in COLUMNS if name not in scores]
    missing += [name for name in ABOUT if not isinstance(content, dict) or name not in content]
    if missing:
        raise InputError(f"{csv.with_suffix('')}: the baseline has no {missing[0]}; bless it anew")
    about_side = {
        "environments": content["environments"],
        "revisions": [content["revision"][:12]],
    }
    side = Side(LABEL, scores, content["specification"], about_side)
    return Baseline(
        side, content["because"], content["revision"], content["written"], content["speed"]
    )


def write_baseline(
    suite: str, side: Side, *, because: str, revision: str, speed: dict[str, Any], folder: Path
) -> Path:
    """Returns the place of the scores. Raises CannotWriteError."""
    open_folder(folder)
    csv = folder / f"{suite}.csv"
    about = {
        "because": because,
        "revision": revision,
        "written": environment.now(),
        "environments": side.about["environments"],
        "specification": side.specification,
        "speed": speed,
    }
    with alone_in(folder):
        # A comma and a hyphen stand in names: pandas quotes where it must.
        write_atomically(csv, side.scores.to_csv(index=False, float_format="%.6f"))
        write_atomically(csv.with_suffix(".json"), to_json(about))
    return csv
