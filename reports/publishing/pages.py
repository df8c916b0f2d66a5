"""Writes numbers into pages: blocks of README and docs that hold what published results say.

A block begins with a comment and ends with `<!-- end -->`:

- `<!-- table: quick leaderboard -->` is a table of a published result, by its name;
- `<!-- findings: quick -->` are its findings;
- `<!-- judged: article-reduced -->` is the answer to the question that the suite asks today, put to
  results that were made before it was asked;
- `<!-- file: anchors/anchors.md -->` is a file among the published results.
"""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks.jobs.suite import load_suite
from benchmarks.scoring.results import Results, load_results
from benchmarks.system.files import write_atomically
from dip.errors import InputError, unknown
from reports.publishing.draw import findings_of, tables_of
from reports.tables.formats.write import to_markdown
from reports.tables.question import judged

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(<!-- (table|findings|judged|file): ([^\n]+?) -->\n)(.*?)(<!-- end -->)", re.S)


def pages() -> list[Path]:
    """README and the pages of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def filled(text: str, published: Path) -> str:
    """A page with what its blocks should hold.

    Args:
        text: the page.
        published: the folder of published results.

    Raises:
        InputError: a block names no result, table or file that there is.
    """
    return BLOCK.sub(
        lambda found: found[1] + _content(found[2], found[3], published) + found[5], text
    )


def fill_pages(published: Path) -> list[Path]:
    """Write every block of README and docs again; returns the pages that have changed."""
    texts = {page: page.read_text(encoding="utf-8") for page in pages()}
    new = {page: filled(text, published) for page, text in texts.items()}
    changed = [page for page in texts if new[page] != texts[page]]
    for page in changed:
        write_atomically(page, new[page])
    return changed


def _content(kind: str, words: str, published: Path) -> str:
    name, _, table = words.partition(" ")
    if kind == "file":
        try:
            return (published / words).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"{published / words}: cannot be read ({error.strerror})") from None
    results = load_results(published / name)
    contents: dict[str, Callable[[], str]] = {
        "table": lambda: _table(results, table),
        "findings": lambda: "".join(f"- {sentence}\n" for sentence in findings_of(results)),
        "judged": lambda: _judged(results, name),
    }
    return contents[kind]()


def _table(results: Results, name: str) -> str:
    tables = {table.name: table for table in tables_of(results)}
    if name not in tables:
        raise InputError(unknown("table", name, tables))
    return to_markdown(tables[name])


def _judged(results: Results, suite: str) -> str:
    asked = load_suite(suite).asked
    if asked is None:
        raise InputError(f"the suite '{suite}' asks no question")
    return to_markdown(judged(results, asked))
