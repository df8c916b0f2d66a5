"""Writes the page: `index.html` and `jobs/`, or one file that holds chosen jobs and all they need.

What comes from files and suites is escaped where it is put into HTML, and the scripts set it as
text. Besides, the page's own policy has the browser run the page's scripts only, and what these
load (`jobs/<key>/job.js`), and show pictures from where the page is only: a name that got into the
page as HTML by mistake would run nothing. Of a page on a disk the browser takes that whole disk for
where the page is.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmarks.scoring.results import Results
from benchmarks.system.files import write_atomically
from dip.errors import InputError
from reports.page.contents import Job, jobs, name_of, overview
from reports.page.tables import panels
from reports.templates import read, template

PAGE, EMBEDDED, JOBS = "index.html", "embedded.html", "jobs"
JOB_FILE = "job.js"
PARTS = ("page", "tables", "paint", "grid", "jobs", "chart", "compare", "job", "start")
SCRIPTS = tuple(f"page/{part}.js" for part in PARTS)
Line = dict[str, Any]  # of the table of jobs


def write_jobs(results: Results, folder: Path) -> list[Line]:
    """Write what the page loads of each job into the report's folder; returns the table's lines.

    Pictures are links to those of the runs where the file system has links. Raises OSError where a
    run is gone or damaged, CannotWriteError and InputError.
    """
    lines = []
    for job in jobs(results):
        place = folder / JOBS / job.key
        lines.append(job.line)
        if place.exists():  # two jobs of the same image, hole and settings have one run
            continue
        place.mkdir(parents=True)
        for name in job.pictures:
            assert job.run is not None
            job.run.link(name, place / name)
        # Parsed, and no object written out: a name may be one that has a meaning there.
        details = _script(json.dumps(job.details, allow_nan=False))
        content = f"received({_script(job.key)}, JSON.parse({details}));\n"
        write_atomically(place / JOB_FILE, content)
    return lines


def write_page(results: Results, folder: Path, about: dict[str, Any], lines: list[Line]) -> None:
    """Write the page itself; about: what the summary says, too. Raises CannotWriteError."""
    data = overview(results) | {"jobs": lines, "embedded": None}
    write_atomically(folder / PAGE, _page(about, data, {}))


def write_embedded(results: Results, folder: Path, about: dict[str, Any], pattern: str) -> None:
    """Write a page that holds all its pictures, of the jobs whose name holds the pattern.

    Raises what `write_jobs` raises.
    """
    chosen = list(jobs(results, pattern))
    data = overview(results) | {
        "jobs": [job.line for job in chosen],
        "embedded": {job.key: _embedded(job) for job in chosen},
    }
    figures = {
        path.name: _data_url(path.read_bytes(), path.suffix)
        for path in sorted((folder / "figures").glob("*"))
        if path.suffix in (".png", ".webp")
    }
    write_atomically(folder / EMBEDDED, _page(about, data, figures))


def check_pattern(results: Results, pattern: str) -> None:
    """Raises InputError if no job's name holds it."""
    if not any(pattern in name_of(job) for job in results.jobs.to_dict("records")):
        raise InputError(f"`embed`: no job's name holds '{pattern}', as in image/hole/method/seed")


def _embedded(job: Job) -> dict[str, Any]:
    pictures = {
        name: _data_url(job.run.read(name), ".png") for name in job.pictures if job.run is not None
    }
    return {"details": job.details, "pictures": pictures}


def _data_url(content: bytes, suffix: str) -> str:
    return f"data:image/{suffix[1:]};base64,{base64.b64encode(content).decode()}"


def _page(about: dict[str, Any], data: dict[str, Any], figures: dict[str, str]) -> str:
    """figures: the content of each by its name, where they are embedded."""
    is_embedded = data["embedded"] is not None
    style, script = read("page/style.css"), "\n".join(map(read, SCRIPTS))
    policy = {
        "default-src": ["'none'"],
        "img-src": ["data:"] if is_embedded else ["'self'", "file:", "data:"],
        "style-src": [_hash(style)],
        # What a script that is trusted loads is trusted, too.
        "script-src": [_hash(script), *([] if is_embedded else ["'strict-dynamic'"])],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return template("page/index.html.j2").render(
        **about,
        policy="; ".join(f"{name} {' '.join(places)}" for name, places in policy.items()),
        style=Markup(style),  # noqa: S704 - a file of templates/
        script=Markup(script),  # noqa: S704 - files of templates/
        data=Markup(_script(data)),  # noqa: S704 - escaped for a script
        figures=figures,
        panels=panels,
        is_embedded=is_embedded,
        shown=len(data["jobs"]),
    )


def _hash(content: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _script(content: Any) -> str:
    """JSON that may stand in a script: no letter of it ends one, or begins a comment."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
