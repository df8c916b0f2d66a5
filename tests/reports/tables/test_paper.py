"""Tables for a paper: they fit a two-column article, and prose cites the same numbers."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.latex import needs_latex, run_latex
from support.synthetic import synthetic
from support.tables import tables

from benchmarks.scoring.results import Results
from reports.tables.formats.latex import escape
from reports.tables.formats.numbers import key
from reports.tables.formats.write import write_for_a_paper

HOSTILE = r"50% & #1_{x}^2 ~\end{tabular} <a> |b| "
HOLES = [
    *("half missing", "bernoulli[missing=0.5,seed=3]", HOSTILE, "Wahrscheinlichkeitsmasken"),
    *("strokes", "WWWWWWWWWWWWWWW", "boxes[count=3,side=12]"),
]
LONG = [
    "dip-random50[architecture.channels=32x32x32x32x32,architecture.skip_channels=4x4x4x4x4]",
    "averyveryverylongmethodnamewithoutanyplacetobreakitatallwhichisbad",
    "été, 日本 [x=1,y=2]",
    HOSTILE,
]
ARTICLE = r"""\documentclass[twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage{textcomp,booktabs,array}
\begin{document}
%s
Tables~\ref{tab:a-suite-psnr} and~\ref{tab:a-suite-lpips}.
\end{document}
"""


def _asking(results: Results, labels: list[str], **question: Any) -> Results:
    names = {f"hole-{index}": name for index, name in enumerate(labels)}
    rows, jobs = (
        frame.assign(mask=frame["mask"].map(names)) for frame in (results.rows, results.jobs)
    )
    networks = list(results.jobs["method"][results.jobs["preset"] != ""].unique())
    asked = {
        "score": "psnr_hole",
        "outputs": {**dict.fromkeys(networks, "averaged"), "biharmonic": "raw"},
        "reference": "biharmonic",
        "planned": [(name, "biharmonic") for name in networks],
        "holes": "mean",
        "margin": 0.3,
        **question,
    }
    about = {**results.about, "question": asked}
    return dataclasses.replace(results, folder=Path("a suite"), rows=rows, jobs=jobs, about=about)


@pytest.fixture
def small() -> Results:
    results = synthetic(10, {"quick": 6.0, "unet": 1.0}, {"mean": -5, "biharmonic": 1}, seeds=1)
    return _asking(results, ["half missing", "strokes"])


@pytest.fixture
def wide() -> Results:
    networks = {name: 2.0 - index / 4 for index, name in enumerate(LONG)}
    networks |= {f"dip-random50[architecture.channels=32x{index}]": 0.1 for index in range(6)}
    fills = {"mean": -5, "biharmonic": 1, "fsr": 0.9}
    results = _asking(synthetic(8, networks, fills, holes=7), HOLES, holes="each")
    rows = results.rows
    lost = rows["method"].eq(HOSTILE) & rows["image"].eq("image-003") & rows["mask"].eq("strokes")
    return dataclasses.replace(results, rows=rows[~lost])


def _write(folder: Path, results: Results, *, has_numbers: bool = False) -> dict[str, Any]:
    made = {table.name: table for table in tables(results)}
    write_for_a_paper(folder, results, made, has_numbers=has_numbers)
    return made


@needs_latex
@pytest.mark.parametrize("which", ["small", "wide"])
def test_the_tables_fit_a_two_column_article(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    results = request.getfixturevalue(which)
    _write(tmp_path, results)
    shown = "\n".join(rf"\input{{paper-{score.name}}}" for score in results.scores)
    (tmp_path / "article.tex").write_text(ARTICLE % shown)
    for _ in range(2):
        done = run_latex(tmp_path, "article.tex")
        assert done.returncode == 0, done.stdout[-3000:]
    log = (tmp_path / "article.log").read_text(errors="replace")
    for trouble in ("Overfull", "Float too large", "undefined"):
        assert trouble not in log


def _rows(latex: str) -> dict[str, list[str]]:
    """The cells of each method."""
    body = latex.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    lines = [line.removesuffix(r" \\").split(" & ") for line in body.strip().splitlines()]
    return {name: cells for name, *cells in lines}


def test_a_row_is_a_method_by_the_output_that_stands_for_it(small: Results, tmp_path: Path) -> None:
    made = _write(tmp_path, small)
    latex = (tmp_path / "paper-psnr.tex").read_text()
    rows = _rows(latex)
    board = made["leaderboard"].numbers
    assert list(rows) == list(board["method"])
    means = made["comparison-psnr"].numbers.set_index(["method", "output", "column"])["mean"]
    holes = ["half missing", "strokes", "all holes"]
    for method, cells in rows.items():
        output = "averaged" if method in small.networks else "raw"
        numbers = [re.sub(r"\\rlap.*|[^\d.-]", "", cell.replace("$-$", "-")) for cell in cells]
        assert numbers == [f"{means[method, output, hole]:.2f}" for hole in holes]
    assert rows["quick"][-1].startswith(r"\textbf{")
    assert r"\label{tab:a-suite-psnr}" in latex
    assert "mean over 10 images, after averaging holes within an image" in latex
    assert "output averaged" in latex


def test_a_mark_is_the_verdict_of_the_question(small: Results, tmp_path: Path) -> None:
    made = _write(tmp_path, small)
    verdicts = made["question"].numbers.set_index("method")["verdict"]
    assert dict(verdicts) == {"quick": "better", "unet": "inconclusive"}
    latex = (tmp_path / "paper-psnr.tex").read_text()
    rows = _rows(latex)
    assert r"$^{\dagger}$" in rows["quick"][-1]  # over all holes, as was asked
    marked = [cell for cells in rows.values() for cell in cells if r"\rlap" in cell]
    assert marked == [rows["quick"][-1]]
    assert r"$^\dagger$ better" in latex
    assert r"$^\ddagger$" not in latex  # nothing is worse
    assert r"\rlap" not in (tmp_path / "paper-ssim.tex").read_text()  # nothing was asked of it


def test_intervals_of_a_family_are_not_told_as_one(small: Results, tmp_path: Path) -> None:
    """Also where one of the comparisons alone is with the reference."""
    pairs = [("quick", "biharmonic"), ("quick", "mean")]
    question = {**small.about["question"], "planned": pairs}
    question["outputs"] = {"quick": "averaged", "biharmonic": "raw", "mean": "raw"}
    about = {**small.about, "question": question}
    _write(tmp_path, dataclasses.replace(small, about=about))
    latex = (tmp_path / "paper-psnr.tex").read_text()
    assert "by intervals that hold together with 95" in latex
    about = {**about, "question": {**question, "planned": pairs[:1]}}
    _write(tmp_path, dataclasses.replace(small, about=about))
    assert "by an interval of 95" in (tmp_path / "paper-psnr.tex").read_text()


def test_who_lacks_scores_stands_last_and_says_so(wide: Results, tmp_path: Path) -> None:
    _write(tmp_path, wide)
    latex = (tmp_path / "paper-psnr.tex").read_text()
    *_, last = latex.rpartition(r"\midrule")[2].partition(r"\bottomrule")[0].strip().splitlines()
    name = re.sub(r"\\penalty\d+ ", "", last).partition(" & ")[0]
    assert name == rf"{escape(HOSTILE.rstrip())} (165/168)"
    assert not re.search(r"\\penalty\d+  ", latex)  # TeX would drop these spaces
    assert r"\textit{" in last
    assert "Methods that lack scores stand last" in latex


@needs_latex
def test_prose_cites_numbers(small: Results, tmp_path: Path) -> None:
    r"""\dip gives the number of a table, alone and in \num; a wrong name is an error."""
    made = _write(tmp_path, small, has_numbers=True)
    board = made["leaderboard"].numbers.set_index("method").loc["quick"]
    means = made["comparison-psnr"].numbers.set_index(["method", "output", "column"])["mean"]
    expected = {
        "quick/psnr": f"{board['psnr']:.2f}",
        "quick/lpips": f"{board['lpips']:.3f}",
        "quick/psnr/half missing": f"{means['quick', 'averaged', 'half missing']:.2f}",
        "quick/delta": f"{board['difference']:.2f}",
        "quick/low": f"{board['low']:.2f}",
        "quick/high": f"{board['high']:.2f}",
        "quick/iterations": "200",
        "quick/seconds": "4.0",
    }
    head = r"\documentclass{article}\usepackage{siunitx}\input{numbers}"
    document = rf"{head}\begin{{document}}%s\end{{document}}"
    cited = "".join(
        rf"\typeout{{CITED {name}: \dip{{{name}}}}}\num{{\dip{{{name}}}}} " for name in expected
    )
    (tmp_path / "prose.tex").write_text(document % cited)
    done = run_latex(tmp_path, "prose.tex")
    assert done.returncode == 0, done.stdout[-2000:]
    for name, number in expected.items():
        assert f"CITED {name}: {number}\n" in done.stdout
    (tmp_path / "prose.tex").write_text(document % r"\dip{quick/pnsr}")
    wrong = run_latex(tmp_path, "prose.tex")
    assert wrong.returncode != 0
    assert "There is no number 'quick/pnsr'" in wrong.stdout.replace("\n", " ")


def test_a_mean_that_lacks_images_is_no_number_to_cite(small: Results, tmp_path: Path) -> None:
    is_lost = (small.rows["method"] == "unet") & (small.rows["image"] == "image-003")
    lacking = dataclasses.replace(small, rows=small.rows[~is_lost])
    _write(tmp_path, lacking, has_numbers=True)
    named = re.findall(r"dip@(.*?)\\endcsname", (tmp_path / "numbers.tex").read_text())
    assert {"quick/psnr", "quick/psnr/strokes", "quick/delta"} < {*named}
    assert {name for name in named if name.startswith("unet/")} == {
        "unet/iterations",
        "unet/seconds",
    }


def test_numbers_are_written_where_they_are_asked_for(small: Results, tmp_path: Path) -> None:
    _write(tmp_path, small)
    assert not (tmp_path / "numbers.tex").exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        f"paper-{score.name}.tex" for score in small.scores
    }


def test_names_in_macros_have_letters_that_tex_takes_as_such() -> None:
    assert key("a{b}%é_[x]") == "aU+007BbU+007DU+0025U+00E9_[x]"


def test_methods_of_a_name_with_an_output_are_told_apart(small: Results, tmp_path: Path) -> None:
    about = {**small.about, "method_outputs": {"unet": "raw"}}
    question = {
        **about["question"],
        "outputs": {"quick": "averaged", "unet": "raw", "biharmonic": "raw"},
    }
    mixed = dataclasses.replace(small, about={**about, "question": question})
    _write(tmp_path, mixed)
    latex = (tmp_path / "paper-psnr.tex").read_text()
    assert {"quick, averaged", "unet, raw", "biharmonic"} < set(_rows(latex))
    assert "Networks show the output named behind them." in latex


def test_a_table_is_of_numbers_that_are_there(small: Results, tmp_path: Path) -> None:
    rows = small.rows[small.rows["method"] != "unet"]
    _write(tmp_path, dataclasses.replace(small, rows=pd.DataFrame(rows)))
    assert _rows((tmp_path / "paper-psnr.tex").read_text())["unet (0/20)"] == ["--"] * 3
