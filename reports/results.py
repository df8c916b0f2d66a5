"""A suite's results as the benchmark leaves them in `results/<suite>/`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import InputError
from benchmarks.runner import JOBS, RESULTS, SUITE
from benchmarks.store import RunFolder

# Names stay names, also where they look like numbers: images 1.png and 01.png are two.
NAMES = dict.fromkeys(
    (
        *("key", "image", "mask", "method", "architecture", "preset", "output"),
        *("device", "git_revision"),
    ),
    str,
)


@dataclass(frozen=True)
class Results:
    """rows: results.csv. jobs: every planned job with its status. about: the suite's own words."""

    folder: Path
    rows: pd.DataFrame
    jobs: pd.DataFrame
    about: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.about["title"])

    @property
    def last_iteration(self) -> int:
        return max(self.about["iterations"])

    @property
    def final(self) -> pd.DataFrame:
        """The rows to compare: a fill's answer, and a network's outputs at the last iteration."""
        is_fill = self.rows["iteration"] == 0
        return self.rows[is_fill | (self.rows["iteration"] == self.last_iteration)]

    def run(self, key: str) -> RunFolder:
        """The pictures of a run."""
        return RunFolder(self.folder.resolve().parent / "runs" / key)


def load_results(folder: Path) -> Results:
    """Raises InputError if the folder holds no results of a suite."""
    try:
        return Results(
            folder,
            pd.read_csv(folder / RESULTS, dtype=NAMES, keep_default_na=False, na_values=[""]),
            pd.read_csv(folder / JOBS, dtype=NAMES, keep_default_na=False),
            json.loads((folder / SUITE).read_text(encoding="utf-8")),
        )
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: holds no results ({Path(error.filename).name} is missing);"
            " `python -m benchmarks run SUITE` makes them"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: the results cannot be read ({error})") from None
