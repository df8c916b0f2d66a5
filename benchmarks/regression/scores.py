"""One side of a comparison: scores of every planned fit, and what exactly they are of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.scoring.results import UNNAMED, Results, Score
from dip.errors import InputError, explain
from dip.options.outputs import FIRST_VERSION

CELL = ["image", "mask"]
NAMED = ["method", "output", *CELL, "seed"]
SCORES = (
    Score("psnr", "psnr_hole", "hole PSNR (dB)", 2),
    Score("ssim", "ssim_hole", "hole SSIM", 3),
    Score("lpips", "lpips_hole", "hole LPIPS", 3),
)


class Margins(NamedTuple):
    """What a score may differ by and still be called the same.

    of_all: of all networks together. 0.3 dB is what the gate is to see, about five standard errors
    of its seven seeds against the baseline's 30; the others are as many of their own, or a few
    more. of_one: of a single network. rounding: of a cell of a fill, which has no seeds, between
    machines: half of the last digit that tables show.
    """

    of_all: float
    of_one: float
    rounding: float


MARGINS = {
    "psnr": Margins(0.3, 1.0, 0.005),
    "ssim": Margins(0.02, 0.06, 0.0005),
    "lpips": Margins(0.015, 0.04, 0.0005),
}
COLUMNS = (*NAMED, "iteration", "status", *(score.column for score in SCORES))
DECIMALS = 6  # of scores that are kept and compared


class Specification(BaseModel):
    """As `benchmarks.jobs.job.specification` has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: dict[str, str]
    masks: dict[str, str]
    methods: dict[str, dict[str, Any]]
    outputs: dict[str, int] = dict.fromkeys(UNNAMED, FIRST_VERSION)
    metrics: dict[str, str]


@dataclass(frozen=True)
class Side:
    """label: as people call it. scores: `COLUMNS`, a row for each output of each planned fit at its
    last iteration, empty where it has none; a fill's iteration is 0. Its status is `done` if it has
    that output, whatever came later. specification: that of `benchmarks.jobs.job`, empty if it is
    not known. about: revisions and environments of the runs, and notices. not_run: names of jobs
    without a run that can be read.
    """

    label: str
    scores: pd.DataFrame
    specification: dict[str, Any]
    about: dict[str, Any]
    not_run: tuple[str, ...] = ()

    @property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(self.scores["method"]))

    @property
    def entries(self) -> list[tuple[str, str]]:
        """Each method with each of its outputs."""
        return list(dict.fromkeys(zip(self.scores["method"], self.scores["output"], strict=True)))

    def has(self, score: Score) -> bool:
        """Whether any fit has it."""
        return bool(self.scores[score.column].notna().any())

    def only(self, pattern: str) -> "Side":
        """Those jobs whose name holds the pattern."""
        holds = np.array([pattern in name for name in names(self.scores)], bool)
        not_run = tuple(name for name in self.not_run if pattern in name)
        return replace(self, scores=self.scores[holds], not_run=not_run)

    def rows(self, method: str, output: str) -> pd.DataFrame:
        scores = self.scores
        return scores[(scores["method"] == method) & (scores["output"] == output)]

    def cells(
        self, method: str, output: str, scored_by: Score | None = None
    ) -> list[tuple[str, str]]:
        """(image, hole) of each planned cell; with `scored_by`, only of cells with that score."""
        rows = self.rows(method, output)
        if scored_by is not None:
            rows = rows[rows[scored_by.column].notna()]
        return list(dict.fromkeys(zip(rows["image"], rows["mask"], strict=True)))

    def gaps(self, method: str, output: str, score: Score, cells: Sequence[tuple[str, str]]) -> int:
        """How many fits of these cells are done and have no score."""
        rows = self.rows(method, output)
        rows = rows[(rows["status"] == "done") & rows[score.column].isna()]
        return sum(cell in cells for cell in zip(rows["image"], rows["mask"], strict=True))

    def by_seed(
        self, method: str, output: str, score: Score, cells: Sequence[tuple[str, str]]
    ) -> pd.DataFrame:
        """Scores of the cells, a column each, by seed; seeds that lack one are left out."""
        if not cells:
            return pd.DataFrame()
        rows = self.rows(method, output)
        table = rows.pivot(index="seed", columns=CELL, values=score.column)
        return table.reindex(columns=pd.MultiIndex.from_tuples(cells, names=CELL)).dropna()


def side_of(results: Results, label: str) -> Side:
    """Make a side from the last iteration of a suite's results."""
    jobs = results.jobs
    is_tried = jobs["status"].isin(["done", "diverged", "failed"])
    is_fitted = jobs["preset"] != ""
    tried = jobs.assign(iteration=is_fitted * jobs["method"].map(results.last_of))[is_tried]
    outputs = dict.fromkeys(("raw", *results.outputs))  # a fill has `raw`, whatever is asked for
    asked = ((output, tried.index.isin(results.planned(output).index)) for output in outputs)
    planned = pd.concat([tried[is_asked].assign(output=output) for output, is_asked in asked])
    order = {method: index for index, method in enumerate(dict.fromkeys(jobs["method"]))}
    planned = planned.sort_values("method", key=lambda names: names.map(order), kind="stable")
    # A metric that the suite does not ask for is an empty column.
    found = results.rows[[*NAMED, "iteration", *(score.column for score in SCORES)]]
    merged = planned[[*NAMED, "iteration", "status"]].merge(
        found.assign(is_there=True), on=[*NAMED, "iteration"], how="left"
    )
    merged.loc[merged["is_there"].notna(), "status"] = "done"
    scores = merged[list(COLUMNS)].round({score.column: DECIMALS for score in SCORES})
    about = {
        "environments": results.about["environments"],
        "revisions": sorted(results.revisions),
        "notices": results.about["notices"],
    }
    specification = results.about.get("specification", {})
    try:
        if specification:
            Specification.model_validate(specification)
    except ValidationError as error:
        raise InputError(
            f"{results.folder}: suite.json is not as it was written"
            f" ({explain(error, Specification)}); `dip-bench score SUITE` writes it anew"
        ) from None
    return Side(label, scores, specification, about, tuple(names(jobs[~is_tried])))


def names(jobs: pd.DataFrame) -> list[str]:
    """As `Job.name`."""
    parts = (jobs[name].astype(str) for name in ("image", "mask", "method", "seed"))
    return ["/".join(each) for each in zip(*parts, strict=True)]
