"""The pages that reports are written as, and what reads them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from benchmarks.system.text import markdown_table
from reports.tables.formats.write import to_markdown

FOLDER = Path(__file__).parent


def template(name: str) -> Any:
    """A page of this folder; what stands in HTML is escaped, in Markdown it is not."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["problem_table"] = _problem_table
    environment.filters["markdown"] = to_markdown
    environment.filters["prose"] = prose
    return environment.get_template(name)


def _problem_table(problems: Sequence[Mapping[str, str]]) -> str:
    heads = ("job", "status", "reason")
    rows = ([each[name] for name in ("name", "status", "reason")] for each in problems)
    return markdown_table(heads, rows)


def read(name: str) -> str:
    """A file of this folder as it is."""
    return (FOLDER / name).read_text(encoding="utf-8")


def prose(text: str) -> Markup:
    """Sentences as the summary has them, in HTML: *emphasised* and `code`, all else escaped."""
    safe = re.sub(r"\*(.+?)\*", r"<em>\1</em>", str(escape(str(text))))
    return Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", safe))  # noqa: S704 - escaped above
