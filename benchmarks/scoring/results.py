"""A suite's results, as the benchmark leaves them in `results/<suite>/`.

Reading them takes neither torch nor the runner. Methods that open a run import
its reader when they are called.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import ValidationError

from benchmarks.metrics import METRICS
from benchmarks.scoring.read_table import Columns, read_table
from benchmarks.store.asked import Asked
from benchmarks.store.layout import JOBS, PACK, RECORDS, RESULTS, RUNS, SUITE
from dip.errors import InputError, explain

if TYPE_CHECKING:
    from benchmarks.store.run_folder import RunFolder

REGIONS = ("full", "hole", "composited")
COLUMNS = (
    *("key", "image", "height", "width", "mask", "hole_fraction", "method", "architecture"),
    *("preset", "seed", "iteration", "output", "stopped_at"),
    *(f"{metric}_{region}" for metric in METRICS for region in REGIONS),
    *("oracle_psnr_hole", "oracle_iteration", "oracle_output", "out_of_range", "uncovered"),
    *("loss", "seconds", "status", "parameters", "device", "precision", "engine", "threads"),
    *("workers", "milliseconds_median", "milliseconds_p10", "milliseconds_p90"),
    *("peak_memory_mib", "git_revision"),
)

# Names stay names, also where they look like numbers: images 1.png and 01.png are two.
NAMES = (
    *("key", "image", "mask", "method", "architecture", "preset", "output"),
    *("oracle_output", "device", "git_revision"),
)
SCORED = tuple(f"{metric}_{region}" for metric in METRICS for region in REGIONS)
EXACT = ("oracle_psnr_hole", *(name for name in SCORED if name.startswith("psnr_")))
WHOLE = ("height", "width", "seed", "iteration", "threads", "workers")
WORDS = ("precision", "engine", "status")
ROWS = Columns(
    names=NAMES,
    whole=WHOLE,
    numbers=[name for name in COLUMNS if name not in (*NAMES, *WHOLE, *WORDS)],
    infinite=(*EXACT, "loss"),
)
KEY = re.compile("[0-9a-f]{64}")  # it is part of paths
OF_A_JOB = ("key", "image", "mask", "method", "preset", "seed", "status", "reason")

# Keys of suite.json.
ABOUT = ("title", "metrics", "iterations", "published", "notices", "environments")
UNNAMED = ["raw", "averaged"]  # the outputs of results whose suite.json names none
OWN_ITERATIONS = "method_iterations"  # of suite.json, by method; those before it had it not


@dataclass(frozen=True)
class Score:
    """A score as tables and verdicts show it.

    Attributes:
        name: name of its metric.
        column: its column in results.csv.
        heading: heading of its column in a table.
        decimals: number of significant decimals.
        unit: unit of the score, or empty.
    """

    name: str
    column: str
    heading: str
    decimals: int
    unit: str = ""

    @property
    def is_better_higher(self) -> bool:
        return METRICS[self.name].better == "higher"

    @property
    def sign(self) -> int:
        """Of a difference, so that more is better."""
        return 1 if self.is_better_higher else -1

    @property
    def title(self) -> str:
        return f"{self.heading} {'↑' if self.is_better_higher else '↓'}"


SCORES = {  # by metric: the score that reports show
    name: Score(name, f"{name}_{metric.region}", metric.heading, metric.decimals, metric.unit)
    for name, metric in METRICS.items()
}


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
        """That of the suite; methods may have others, see `last_of`."""
        return max(self.about["iterations"])

    @property
    def own_iterations(self) -> dict[str, list[int]]:
        """The checkpoints of each method that has others than the suite."""
        own: dict[str, list[int]] = self.about.get(OWN_ITERATIONS, {})
        return own

    def iterations_of(self, method: str) -> list[int]:
        """The checkpoints of a method, ascending."""
        return sorted(self.own_iterations.get(method, self.about["iterations"]))

    def last_of(self, method: str) -> int:
        """The last checkpoint of a method, whose outputs are compared."""
        return self.iterations_of(method)[-1]

    @property
    def common_last(self) -> int | None:
        """The last iteration of all networks; None if they differ in it."""
        last, *others = {self.last_of(method) for method in self.networks} or {self.last_iteration}
        return None if others else last

    @property
    def last(self) -> str:
        """Which outputs are compared, in words: those of `iteration 1000`."""
        common = self.common_last
        return "each method's last iteration" if common is None else f"iteration {common}"

    @property
    def after_last(self) -> str:
        """The same for titles: `after 1000 iterations`."""
        common = self.common_last
        return f"at {self.last}" if common is None else f"after {common} iterations"

    @cached_property
    def scores(self) -> list[Score]:
        """The scores of the suite's metrics that reports show, PSNR first."""
        return [score for name, score in SCORES.items() if name in self.about["metrics"]]

    @cached_property
    def question(self) -> Asked | None:
        """The question of the suite; None if it asks none, or was run before suites could."""
        asked = self.about.get("question")
        return Asked.model_validate(asked) if asked else None

    @cached_property
    def networks(self) -> set[str]:
        """The methods that are fitted; the others are fills and published pictures."""
        return set(self.jobs[self.jobs["preset"] != ""]["method"])

    @cached_property
    def pictures(self) -> set[str]:
        """The methods whose pictures others have published; they are neither fits nor fills."""
        return {*self.about.get("pictures", [])}

    @cached_property
    def outputs(self) -> list[str]:
        """The labels of all outputs asked for, in order: the suite's, then those of methods."""
        return list(dict.fromkeys((*self._of_suite, *self.method_outputs.values())))

    def outputs_of(self, method: str) -> list[str]:
        """The labels of the outputs that are asked for of a method; a fill's is `raw`."""
        if method not in self.networks:
            return ["raw"]
        own = self.method_outputs.get(method)
        return [output for output in self.outputs if output in self._of_suite or output == own]

    def planned(self, output: str) -> pd.DataFrame:
        """The jobs that are asked for that output."""
        methods = self.jobs["method"].unique()
        asked = [method for method in methods if output in self.outputs_of(method)]
        return self.jobs[self.jobs["method"].isin(asked)]

    @property
    def _of_suite(self) -> list[str]:
        return list(self.about.get("outputs", UNNAMED))

    @property
    def method_outputs(self) -> dict[str, str]:
        """By method the output that stands for it, where it names one."""
        return dict(self.about.get("method_outputs", {}))

    @property
    def revisions(self) -> list[str]:
        return [str(each) for each in self.rows["git_revision"].dropna().unique()]

    @property
    def origin(self) -> list[str]:
        return origin(self.revisions, self.about["environments"])

    def until(self, iteration: int, own: Mapping[str, int] = MappingProxyType({})) -> "Results":
        """The same, as if so many iterations had been asked for.

        own: so many of these methods.
        """
        of_suite = [count for count in self.about["iterations"] if count <= iteration]
        of_methods = {
            method: [count for count in self.iterations_of(method) if count <= last]
            for method, last in own.items()
            if method in self.networks
        }
        ends = self.rows["method"].map(own).fillna(iteration)
        return replace(
            self,
            rows=self.rows[self.rows["iteration"] <= ends],
            about=self.about | {"iterations": of_suite, OWN_ITERATIONS: of_methods},
        )

    @cached_property
    def requested(self) -> pd.DataFrame:
        """The rows of outputs that are asked for; without what rules chose."""
        wanted = [
            (method, output)
            for method in self.jobs["method"].unique()
            for output in self.outputs_of(method)
        ]
        return self.rows[pd.MultiIndex.from_frame(self.rows[["method", "output"]]).isin(wanted)]

    @cached_property
    def final(self) -> pd.DataFrame:
        """The rows to compare: a fill's answer, and a network's outputs at its last iteration."""
        is_fill = self.requested["iteration"] == 0
        return self.requested[is_fill | self._is_last(self.requested)]

    @cached_property
    def last_raw(self) -> pd.DataFrame:
        """Each fit's raw output at its last iteration, asked for or not."""
        return self.rows[self._is_last(self.rows) & (self.rows["output"] == "raw")]

    def _is_last(self, rows: pd.DataFrame) -> "pd.Series[bool]":
        return rows["iteration"] == rows["method"].map(self.last_of)

    @cached_property
    def stops(self) -> pd.DataFrame:
        """The rows that stopping rules chose."""
        return self.rows[self.rows["output"].str.startswith("stop:")]

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Hole PSNR over the iterations of the networks: noted on the way, and of the checkpoints.

        Columns: image, mask, method, seed, device, output, iteration, seconds (of all iterations
        until then), psnr_hole. Up to each fit's last checkpoint; the checkpoints only where an
        archive has left out a run. Raises OSError if a trace is gone or damaged.
        """
        names = ["image", "mask", "method", "seed", "device"]
        columns = [*names, "output", "iteration", "seconds", "psnr_hole"]
        from benchmarks.store.trace import NOTED, read_trace

        scored = self.requested[self.requested["iteration"] > 0]
        parts = [scored[scored["psnr_hole"].notna()][columns]]
        ends = scored.groupby(["key", *names])["iteration"].max().reset_index()
        for fit in ends.to_dict("records") if not self.without_pictures else ():
            trace = read_trace(self.run(str(fit["key"])))
            seconds = trace["milliseconds"].cumsum() / 1000
            for output in NOTED:
                if output not in self.outputs_of(fit["method"]):
                    continue
                noted = trace[f"psnr_hole_{output}"].loc[: fit["iteration"]].dropna()
                described = {name: fit[name] for name in names}
                part = noted.rename("psnr_hole").reset_index()
                part["seconds"] = seconds.reindex(noted.index).to_numpy()
                parts.append(part.assign(**described, output=output)[columns])
        return pd.concat(parts).drop_duplicates([*names, "output", "iteration"])

    def run(self, key: str) -> "RunFolder":
        """The pictures of a run."""
        from benchmarks.store.run_folder import RunFolder

        return RunFolder(self.folder.resolve().parent / RUNS / key)

    def has_run(self, key: str) -> bool:
        """Whether there should be a run's pictures here: an archive may have left them out.

        In all other results a run that is gone is an error of whoever opens it.
        """
        return self.run(key).folder.exists() or not (self.folder / RECORDS).exists()

    @property
    def without_pictures(self) -> int:
        """How many runs with scores the archive has left out."""
        return sum(not self.has_run(str(key)) for key in self.rows["key"].unique())


def at_common_iteration(results: Sequence[Results]) -> list[Results]:
    """Cut all results to the largest iteration count that they share.

    A method that has iterations of its own in some results is cut to the largest count that all
    results with this method share.

    Args:
        results: of several folders.

    Returns:
        The same results, cut.

    Raises:
        InputError: they share no iteration count, or none of such a method.
    """
    folders = " and ".join(str(own.folder) for own in results)
    common = set.intersection(*({*each.about["iterations"]} for each in results))
    if not common:
        raise InputError(f"{folders} have no iteration count in common")
    own: dict[str, int] = {}
    named = (name for each in results for name in each.own_iterations if name in each.networks)
    for method in dict.fromkeys(named):
        having = [each for each in results if method in each.networks]
        shared = set.intersection(*({*each.iterations_of(method)} for each in having))
        if not shared:
            raise InputError(f"{folders} have no iteration count of '{method}' in common")
        own[method] = max(shared)
    return [each.until(max(common), own) for each in results]


def origin(revisions: Sequence[str], environments: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where results are from: a line for the revisions, one for each device."""
    lines = [f"revision: {', '.join(revisions) or 'not known'}"]
    for each in environments:
        versions = ", ".join(f"{name} {version}" for name, version in each["versions"].items())
        lines.append(f"{each['device']}: {versions}")
    return lines


def load_results(folder: Path) -> Results:
    """Read the results of a suite.

    Args:
        folder: where results.csv, jobs.csv and suite.json are, or the archive of these.

    Raises:
        InputError: the folder holds no results of a suite.
    """
    if not (folder / RESULTS).exists() and (folder / PACK).exists():
        from benchmarks.store.pack import unpack

        with TemporaryDirectory() as place:
            return replace(
                load_results(unpack(folder / PACK, Path(place) / "archive")), folder=folder
            )
    try:
        rows = read_table(folder / RESULTS, ROWS)
        rows = rows.astype({name: float for name in SCORED if name in rows})
        jobs = read_table(folder / JOBS, Columns(names=NAMES, whole=["seed"]), empty_text=True)
        about = json.loads((folder / SUITE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: holds no results ({Path(error.filename).name} is missing);"
            " `dip-bench run SUITE` makes them"
        ) from None
    except InputError as error:
        raise InputError(f"{folder}: {error}; `dip-bench score SUITE` writes it anew") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: the results cannot be read ({error})") from None
    if not isinstance(about, dict):
        raise InputError(f"{folder}: {SUITE} is not as it was written; score again")
    if isinstance(asked := about.get("metrics"), list):
        # Results need not have columns of metrics that their suite does not name.
        others = [column for column in SCORED if column.rpartition("_")[0] not in asked]
        rows = rows.reindex(columns=[*rows, *(name for name in others if name not in rows)])
    missing = [column for column in COLUMNS if column not in rows]
    missing += [column for column in OF_A_JOB if column not in jobs]
    if missing := [*missing, *(key for key in ABOUT if key not in about)]:
        raise InputError(
            f"{folder}: these results are of another version, without {missing[0]};"
            " `dip-bench run SUITE` makes them anew"
        )
    _check_tables(folder, rows, jobs)
    _check_about(folder, about)
    results = Results(folder, rows, jobs, about)
    _check_question(results)
    return results


def _check_tables(folder: Path, rows: pd.DataFrame, jobs: pd.DataFrame) -> None:
    if jobs.empty:
        raise InputError(f"{folder}: {JOBS} names no job; `dip-bench score SUITE` writes it anew")
    if rows.empty and (jobs["status"] == "done").any():
        raise InputError(f"{folder}: {RESULTS} is empty; `dip-bench score SUITE` writes it anew")
    names = ["image", "mask", "method", "seed"]
    if jobs.duplicated(names).any() or rows.duplicated([*names, "iteration", "output"]).any():
        raise InputError(f"{folder}: the results name a job or an output of it twice; score again")
    for key in {*jobs["key"], *rows["key"]}:
        if not KEY.fullmatch(str(key)):
            raise InputError(f"{folder}: '{key}' is no job's key; score again")
    known = {tuple(each) for each in jobs[["key", *names]].to_numpy(object)}
    for place in rows[["key", *names]].drop_duplicates().to_numpy(object):
        if tuple(place) not in known:
            name = "/".join(map(str, place[1:]))
            raise InputError(f"{folder}: {RESULTS} has {name}, which {JOBS} lacks; score again")


def _check_about(folder: Path, about: dict[str, Any]) -> None:
    own = about.get(OWN_ITERATIONS, {})
    if not isinstance(own, dict):
        raise InputError(f"{folder}: {SUITE}: {OWN_ITERATIONS}: is no list by method; score again")
    for counts in (about["iterations"], *own.values()):
        if not (isinstance(counts, list) and counts and all(isinstance(n, int) for n in counts)):
            raise InputError(
                f"{folder}: {SUITE}: iterations are numbers, not {counts}; score again"
            )
    for key in ("metrics", "published", "notices", "environments"):
        if not isinstance(about[key], list):
            raise InputError(f"{folder}: {SUITE}: {key}: is no list; score again")
    if not _are_texts(about.get("outputs", UNNAMED)):
        raise InputError(f"{folder}: {SUITE}: outputs: is no list of labels; score again")
    if not _are_texts(about.get("pictures", [])):
        raise InputError(f"{folder}: {SUITE}: pictures: is no list of methods; score again")
    own = about.get("method_outputs", {})
    if not (isinstance(own, dict) and _are_texts([*own.values()])):
        raise InputError(f"{folder}: {SUITE}: method_outputs: is no label by method; score again")
    suite = about.get("suite", {"name": "", "yaml": ""})
    if not (isinstance(suite, dict) and _are_texts([suite.get("name"), suite.get("yaml")])):
        raise InputError(f"{folder}: {SUITE}: suite: is no name with its YAML; score again")
    for each in about["environments"]:
        if not (isinstance(each, dict) and isinstance(each.get("versions"), dict)):
            raise InputError(f"{folder}: {SUITE}: environments: one has no versions; score again")
        if not isinstance(each.get("device"), str):
            raise InputError(f"{folder}: {SUITE}: environments: one has no device; score again")


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def _check_question(results: Results) -> None:
    folder = results.folder
    try:
        asked = results.question
    except ValidationError as error:
        what = explain(error, Asked)
        raise InputError(f"{folder}: {SUITE}: question: {what}; score again") from None
    if asked is None:
        return
    if asked.score not in {score.column for score in results.scores}:
        raise InputError(f"{folder}: {SUITE}: question: {asked.score} is no score; score again")
    named = {*asked.outputs, *(method for pair in asked.planned for method in pair)}
    if unplanned := named - {*results.jobs["method"]}:
        raise InputError(
            f"{folder}: {SUITE}: question: '{min(unplanned)}' is not in {JOBS}; score again"
        )
