"""Writes the page: `index.html` and `jobs/`, or one file that holds chosen jobs and all they need.

What comes from files and suites is escaped where it is put into HTML, and the script sets it as
text. Besides, the page's own policy lets the browser run only what is written here, and load
pictures and jobs from beside the page only.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmarks import InputError
from benchmarks.results import Results
from benchmarks.writing import write_atomically
from reports.page.contents import Job, jobs, name_of, overview
from reports.templates import read, template

PAGE, EMBEDDED, JOBS = "index.html", "embedded.html", "jobs"
JOB_FILE = "job.js"


def write_page(results: Results, folder: Path, about: dict[str, Any]) -> Path:
    """Write the page into the report's folder; about: what the summary says, too.

    Pictures are links to those of the runs where the file system has links. Raises OSError where a
    run is gone or damaged, CannotWriteError and InputError.
    """
    lines = []
    for job in jobs(results):
        place = folder / JOBS / job.key
        lines.append(job.line)
        if place.exists():  # a job that has another one's run
            continue
        place.mkdir(parents=True)
        for name in job.pictures:
            assert job.run is not None
            job.run.link(name, place / name)
        write_atomically(place / JOB_FILE, f"received({_script(job.key)}, {_script(job.details)});")
    data = overview(results) | {"jobs": lines, "embedded": None}
    page = _page(about, data, {}, "'self' file:")
    write_atomically(folder / PAGE, page)
    return folder / PAGE


def write_embedded(results: Results, folder: Path, about: dict[str, Any], pattern: str) -> Path:
    """Write a page that holds all its pictures, of the jobs whose name holds the pattern.

    Raises what `write_page` raises.
    """
    chosen = [job for job in jobs(results) if pattern in job.name]
    data = overview(results) | {
        "jobs": [job.line for job in chosen],
        "embedded": {job.key: _embedded(job) for job in chosen},
    }
    figures = {
        path.name: _data_url(path.read_bytes(), path.suffix)
        for path in sorted((folder / "figures").glob("*"))
        if path.suffix in (".png", ".webp")
    }
    write_atomically(folder / EMBEDDED, _page(about, data, figures, ""))
    return folder / EMBEDDED


def check_pattern(results: Results, pattern: str) -> None:
    """Raises InputError if no job's name holds it."""
    if not any(pattern in name_of(job) for job in results.jobs.to_dict("records")):
        raise InputError(f"--embed: no job's name holds '{pattern}', as in image/hole/method/seed")


def _embedded(job: Job) -> dict[str, Any]:
    assert job.run is not None or not job.pictures
    pictures = {
        name: _data_url(job.run.read(name), ".png") for name in job.pictures if job.run is not None
    }
    return {"details": job.details, "pictures": pictures}


def _data_url(content: bytes, suffix: str) -> str:
    return f"data:image/{suffix[1:]};base64,{base64.b64encode(content).decode()}"


def _page(about: dict[str, Any], data: dict[str, Any], figures: dict[str, str], places: str) -> str:
    """figures: the content of each by its name, where they are embedded. places: of scripts."""
    style, script = read("page.css"), read("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"img-src {places} data:".replace("  ", " "),
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)} {places}".rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return template("page.html.j2").render(
        **about,
        policy=policy,
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        data=Markup(_script(data)),  # noqa: S704 - escaped for a script
        figures=figures,
        is_embedded=bool(data["embedded"]),
        shown=len(data["jobs"]),
    )


def _hash(content: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _script(content: Any) -> str:
    """JSON that may stand in a script: no letter of it ends one, or begins a comment."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
