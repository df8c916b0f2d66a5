"""How all figures look, how they are saved, and how long names fit into them."""

import re
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

STYLE = str(Path(__file__).parent / "style.mplstyle")
WIDTH, HEIGHT = 7.2, 9.5  # inches of a page's text, which no figure exceeds
HOLE = (255, 0, 255)  # of a masked picture: a colour that no photo has
LINES = ("-", "--", "-.", (0, (1, 1)))


def line_of(index: int) -> dict[str, Any]:
    """Colour and dashes of a network: neighbours differ in both, so that grey tells them apart.

    From the 29th on they repeat.
    """
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return {"color": colours[index % len(colours)], "linestyle": LINES[index % len(LINES)]}


def broken(name: str, letters: int) -> str:
    """A method's or hole's name on as many lines as it needs, parted at its settings first."""
    parts = re.split(r"(?<=[,\[=])", name)
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1] + part) > letters:
            lines.append("")
        lines[-1] += part if lines[-1] else part.lstrip()
    return "\n".join(
        piece for line in lines for piece in textwrap.wrap(line, letters, break_on_hyphens=True)
    )


def save(figure: Any, folder: Path, name: str) -> str:
    """As PNG and PDF; returns the PNG's name."""
    folder.mkdir(parents=True, exist_ok=True)
    if figure.get_layout_engine():  # laid out once, and not for each file again
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    # Without dates and versions inside, the same results give the same files.
    about = {"png": {"Software": None}, "pdf": {"Creator": None, "CreationDate": None}}
    for kind, metadata in about.items():
        figure.savefig(folder / f"{name}.{kind}", metadata=metadata)
    plt.close(figure)
    return f"{name}.png"


def paged(name: str, page: int) -> str:
    """The name of a figure that takes several pages; page counts from 0."""
    return f"{name}-page-{page + 1}" if page else name
