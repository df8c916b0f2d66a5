"""The README and the pages of `docs/`, as tests read them."""

import re

from support.commands import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def blocks(language: str, text: str = TEXT) -> list[str]:
    """The contents of the code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def section(heading: str) -> str:
    """What stands below a heading of a page, down to the next one."""
    (found,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", TEXT, re.S | re.M)
    return found


COMMANDS = list(dict.fromkeys(line for block in blocks("sh") for line in block.splitlines()))
CLUSTER = [line for line in COMMANDS if line.startswith(("ray ", "sbatch ")) or "HEAD" in line]
