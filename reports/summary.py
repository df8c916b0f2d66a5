"""A suite's report as text: what `summary.md` and the page say."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.scoring.results import Results
from benchmarks.scoring.statistics import FEWEST_IMAGES
from reports.figures import animation, curves
from reports.page.contents import name_of
from reports.tables.leaderboard import score_of
from reports.tables.table import Table
from reports.templates import template

PROBLEM = ("image", "mask", "method", "status", "reason")  # what is said of such a job

# By the beginnings of their names: the figures of a report.
FIGURES = {
    "ranks": "critical-difference",
    "curves": "quality-against-iterations",
    "seconds": "quality-against-seconds",
    "sheets": "contact-sheet",
    "errors": "error-map",
    "animations": "training",
    "reach_sheets": "coverage",
}


def contents(
    results: Results,
    tables: Sequence[Table],
    sentences: Sequence[str],
    figures: Sequence[str],
    *,
    yaml: str = "",
    time: str = "",
    archive: str = "",
) -> dict[str, Any]:
    """Collect what the templates show.

    Args:
        results: results of a suite.
        tables: its tables, the leaderboard first.
        sentences: its findings.
        figures: names of the files of its figures, in their order.
        yaml: name of the suite's file beside the text, if there is one.
        time: where the time of the command went.
        archive: the folder of a published result, which has no tables beside its text.

    Returns:
        Values by the names that templates use.
    """
    own = results.about.get("suite")  # results of earlier versions do not have it
    drawn: dict[str, Any] = {
        kind: [name for name in figures if name.startswith(beginning)]
        for kind, beginning in FIGURES.items()
    }
    drawn["ranks"] = next(iter(drawn["ranks"]), None)
    return {
        "title": results.title,
        "asked": results.question,
        "findings": sentences,
        "planned": len(results.jobs),
        "done": int((results.jobs["status"] == "done").sum()),
        "images": results.jobs["image"].nunique(),
        "holes": results.jobs["mask"].nunique(),
        "problems": _problems(results),
        "notices": results.about["notices"],
        "measures": [score.name for score in results.scores],
        "ranked_by": score_of(results).heading,
        "tables": {table.name: table for table in tables},
        "devices": [table for table in tables if table.name.startswith("timing-")],
        "last": results.last,
        **drawn,
        "bands": curves.BANDS,
        "few": FEWEST_IMAGES,
        "below": curves.BELOW,
        "networks": animation.NETWORKS,
        "provenance": results.origin,
        "command": f"dip-bench bench {shlex.quote(own['name'])}" if own else "",
        "yaml": yaml if own else "",
        "time": time,
        "archive": archive,
    }


def summary(shown: Mapping[str, Any]) -> str:
    """The report as Markdown, of `contents`."""
    return str(template("summary.md.j2").render(**shown))


def _problems(results: Results) -> list[dict[str, object]]:
    """Jobs without a full result, and those of which there is something to say."""
    jobs = results.jobs[(results.jobs["status"] != "done") | (results.jobs["reason"] != "")]
    return [
        {"name": name_of(job), **{name: job[name] for name in PROBLEM}}
        for job in jobs.to_dict("records")
    ]
