"""Figures: what they show; on paper nothing overlaps, is cut off, or differs by colour only."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image as Pillow
from support.commands import Command
from support.suites import TINY
from support.synthetic import on_one_image, synthetic

from benchmarks.scoring.results import Results, load_results
from benchmarks.store.trace import read_trace
from reports.figures import animation, critical_difference, curves, sheets
from reports.figures.style import HEIGHT, WIDTH
from reports.tables import coverage
from reports.tables.exploratory.standings import standings

Write = Callable[..., Path]
QUICK = TINY["methods"][0]
LONG = "skip with a name, and settings[architecture.decoder_kernel=3,learning_rate=0.001]"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two images, one of them not square, two holes, nine methods, some with long names."""
    import yaml

    from reports.commands.app import main

    folder = tmp_path_factory.mktemp("figures")
    (folder / "photos").mkdir()
    colours = np.random.default_rng(0)
    for name, (width, height) in {"square": (40, 40), "wide": (48, 34)}.items():
        pixels = colours.integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
        picture = Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.BICUBIC)
        picture.save(folder / "photos" / f"{name}.png")
    content = {
        **TINY,
        "dataset": {"folder": "photos"},
        "masks": ["bernoulli", {"boxes": {"count": 1, "side": 8}}],
        "methods": [{**QUICK, "label": LONG}, {**QUICK, "label": "plain"}, {"fill": "all"}],
        "iterations": [4, 10, 40],
        "seeds": [0, 1],
        "rules": [{"es-wmv": {"window": 4, "patience": 5}}],
    }
    del content["images"], content["size"]
    path = folder / "figures.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(["run", str(path), "--out", str(folder / "results"), "--workers", "0"]) == 0
    return load_results(folder / "results" / "figures")


@contextmanager
def kept(has_files: bool = False) -> Iterator[list[Figure]]:
    """The figures that are drawn meanwhile, before they are closed."""
    drawn: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, path: Path, **words: Any) -> None:
        if figure not in drawn:
            drawn.append(figure)
        if has_files:
            save(figure, path, **words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", keep)
        patch.setattr(plt, "close", lambda _: None)
        yield drawn
    plt.close("all")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """The pictures of `results`, drawn once: names of the files in `folder`, and the figures."""

    folder: Path
    names: dict[str, list[str]]
    figures: dict[str, list[Figure]]


@pytest.fixture(scope="module")
def pictures(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    drawn = Drawn(tmp_path_factory.mktemp("drawn"), {}, {})
    lines, chosen = curves.lines(results), sheets.choose(results)
    for name, draw in {
        "against_iterations": lambda: curves.against_iterations(lines, drawn.folder),
        "against_seconds": lambda: curves.against_seconds(lines, drawn.folder),
        "contact_sheets": lambda: sheets.contact_sheets(results, chosen, drawn.folder),
        "error_maps": lambda: sheets.error_maps(results, chosen, drawn.folder),
    }.items():
        with kept(has_files=True) as figures:
            drawn.names[name] = draw()
        drawn.figures[name] = figures
    return drawn


def test_on_paper_no_text_overlaps_or_is_cut_off(pictures: Drawn) -> None:
    for figures in pictures.figures.values():
        _check_texts(figures)


def test_the_diagram_on_paper(tmp_path: Path) -> None:
    networks = {LONG: 1.5, "b": 0.5, **{f"method {index}": 0.1 * index for index in range(12)}}
    many = synthetic(8, networks, {"mean": -5.0, "biharmonic": 1.0})
    with kept() as drawn:
        critical_difference.critical_difference(standings(many)[0], tmp_path)
        _check_texts(drawn)


def _check_texts(drawn: list[Figure]) -> None:
    assert drawn
    for figure in drawn:
        assert figure.get_figwidth() <= WIDTH
        assert figure.get_figheight() <= HEIGHT
        boxes = dict(_words(figure))
        inside = figure.bbox.padded(1)
        for text, box in boxes.items():
            assert inside.x0 <= box.x0 <= box.x1 <= inside.x1, text
            assert inside.y0 <= box.y0 <= box.y1 <= inside.y1, text
        for (one, a), (other, b) in combinations(boxes.items(), 2):
            # Half a point of their boxes, in which letters leave that room.
            meet = a.padded(-0.5).overlaps(b.padded(-0.5))
            assert not meet, (one.get_text(), other.get_text())


def test_coverage_on_paper(suite_file: Write, command: Command, tmp_path: Path) -> None:
    settings = {"architecture.channels": [4, 4], "architecture.decoder_kernel": 3}
    methods = [{"preset": "lemsky-unet", "label": name, "set": settings} for name in (LONG, "b")]
    suite = suite_file(
        images=["astronaut", "camera"], size=40, masks=[{"boxes": {"count": 1, "side": 26}}],
        methods=methods,
    )  # fmt: skip
    assert command("benchmarks", "run", suite, "--out", tmp_path / "results").returncode == 0
    results = load_results(tmp_path / "results" / "tiny")
    with kept() as drawn:
        measured = coverage.per_image(results)
        assert sheets.coverage_sheets(results, measured, tmp_path) == ["coverage-1.png"]
        _check_texts(drawn)
        cells = [axis for axis in drawn[0].axes if axis.get_title() == "b"]
    share = measured[(measured["method"] == "b") & (measured["image"] == "astronaut")]["uncovered"]
    assert cells[0].get_xlabel() == f"{100 * share.iloc[0]:.1f} % out of reach"
    assert len(cells[0].collections) == 4  # the hole and what is out of reach, each on white


def _words(figure: Figure) -> Iterator[tuple[Text, Any]]:
    """All that can be read, with where it is: labels of ticks only where the axis has them."""
    figure.draw_without_rendering()
    hidden: set[int] = set()
    for axes in figure.axes:
        if not axes.axison:
            hidden |= {id(each) for axis in (axes.xaxis, axes.yaxis) for each in axis.findobj(Text)}
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            hidden |= {
                id(label)
                for tick in ticks
                for label in (tick.label1, tick.label2)
                if not low <= tick.get_loc() <= high
            }
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden:
            box = Text.get_window_extent(text)
            if box.width:
                yield text, box


def test_files_are_pictures_as_wide_as_text(results: Results, pictures: Drawn) -> None:
    names = [name for part in pictures.names.values() for name in part]
    folder = pictures.folder
    assert names == [
        "quality-against-iterations.png",
        "quality-against-seconds.png",
        *("contact-sheet-1.png", "contact-sheet-1-page-2.png"),
        *("contact-sheet-2.png", "contact-sheet-2-page-2.png"),
        *("error-map-1.png", "error-map-2.png"),
    ]
    for name in names:
        with Pillow.open(folder / name) as picture:
            assert picture.width == WIDTH * 200
            assert len(picture.convert("RGB").getcolors(2**24) or ()) > 50  # not blank
        assert (folder / name).with_suffix(".pdf").stat().st_size > 5000
    before = {name: (folder / name).read_bytes() for name in names[:3]}
    curves.against_iterations(curves.lines(results), folder)
    sheets.contact_sheets(results, sheets.choose(results), folder)
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_curve_says_where_images_are_missing(
    results: Results, pictures: Drawn, tmp_path: Path
) -> None:
    everything = results.rows
    missing = (everything["image"] == "wide") & (everything["method"] == "plain")
    partial = dataclasses.replace(results, rows=everything[~missing])
    with kept() as drawn:
        curves.against_iterations(curves.lines(partial), tmp_path)
    assert _legend(pictures.figures["against_iterations"][0])[:2] == [LONG, "plain"]
    assert _legend(drawn[0])[:2] == [LONG, "plain (2/4)"]


def _legend(figure: Figure) -> list[str]:
    return [text.get_text().strip() for text in figure.legends[0].get_texts()]


def test_a_curve_ends_where_one_of_its_fits_does(results: Results, tmp_path: Path) -> None:
    """One seed has one checkpoint more than the other: a mean over both ends with the shorter."""
    rows = results.rows
    ended = (rows["seed"] == 1) & (rows["iteration"] == 40) & (rows["image"] == "wide")
    with kept() as drawn:
        curves.against_iterations(
            curves.lines(dataclasses.replace(results, rows=rows[~ended])), tmp_path
        )
        line = next(each for each in drawn[0].axes[0].lines if each.get_linestyle() == "-")
        assert max(line.get_xdata()) == 10


def test_the_curve_is_the_mean_over_images_against_either(
    results: Results, pictures: Drawn
) -> None:
    rows = results.rows
    of_panel = rows[(rows["mask"] == "bernoulli") & (rows["method"] == "plain")]
    last = of_panel[(of_panel["output"] == "raw") & (of_panel["iteration"] == 40)]
    expected = last.groupby("image")["psnr_hole"].mean().mean()
    traces = [read_trace(results.run(key)) for key in last["key"]]
    seconds = np.median([trace["milliseconds"].sum() / 1000 for trace in traces])
    fills = rows[(rows["mask"] == "bernoulli") & (rows["method"] == "biharmonic")]
    for name, at in (("against_iterations", 40), ("against_seconds", seconds)):
        axis = pictures.figures[name][0].axes[0]
        line = next(each for each in axis.lines if each.get_linestyle() == "--")
        assert line.get_ydata()[-1] == pytest.approx(expected)
        assert line.get_xdata()[-1] == pytest.approx(at, rel=0.01)
        levels = [each.get_ydata()[0] for each in axis.lines if len(each.get_ydata())]
        assert any(level == pytest.approx(fills["psnr_hole"].mean()) for level in levels)


def test_devices_have_times_of_their_own_and_fills_stand_in_all(
    results: Results, tmp_path: Path
) -> None:
    """Fills are computed by a processor whatever the networks are fitted on."""
    rows = results.rows.copy()
    is_network = rows["iteration"] > 0
    rows.loc[is_network & (rows["seed"] == 0), "device"] = "RTX 3090"
    rows.loc[is_network & (rows["seed"] == 1), "device"] = "RTX-3090"
    fills_on = rows[~is_network]["device"].iloc[0]
    with kept() as drawn:
        names = curves.against_seconds(
            curves.lines(dataclasses.replace(results, rows=rows)), tmp_path
        )
        legends = [_legend(figure) for figure in drawn]
    assert names == [
        "quality-against-seconds-rtx-3090-device-1.png",
        "quality-against-seconds-rtx-3090-device-2.png",
    ]
    for legend in legends:
        assert legend[:2] == [f"{LONG} (2/4)", "plain (2/4)"]
        assert f"biharmonic (on {fills_on})" in legend


def test_a_published_picture_is_a_level_and_took_no_seconds(
    results: Results, tmp_path: Path
) -> None:
    rows = results.rows.copy()
    theirs = rows["method"] == "biharmonic"
    rows.loc[theirs, "seconds"] = np.nan
    rows.loc[theirs, "device"] = "not run here"
    shown = curves.lines(dataclasses.replace(results, rows=rows))
    with kept() as drawn:
        curves.against_seconds(shown, tmp_path)
        assert not any("biharmonic" in name for name in _legend(drawn[0]))
        curves.against_iterations(shown, tmp_path)
        texts = [text.get_text() for axis in drawn[1].axes for text in axis.texts]
        assert any("biharmonic" in text for text in texts)


def test_few_images_have_a_line_each_and_many_a_band(results: Results, tmp_path: Path) -> None:
    def drawn_of(fewest: int) -> tuple[int, int]:
        with pytest.MonkeyPatch.context() as patch, kept() as drawn:
            patch.setattr(curves, "FEWEST_IMAGES", fewest)
            curves.against_seconds(curves.lines(results), tmp_path)
            axis = drawn[0].axes[0]
            return len(axis.lines), len(axis.collections)

    images, networks = results.jobs["image"].nunique(), len(results.networks)
    fills = results.jobs["method"].nunique() - networks
    assert drawn_of(images + 1) == (networks * (1 + images) + fills, 0)
    assert drawn_of(images) == (networks + fills, networks)


def test_a_method_of_some_images_has_no_line(results: Results, tmp_path: Path) -> None:
    """A mean over other images stands beside none."""

    partial = on_one_image(results, "plain", "wide")
    with kept() as drawn:
        curves.against_iterations(curves.lines(partial), tmp_path)
        assert not any("plain" in name for name in _legend(drawn[0]))


def test_an_axis_begins_below_what_it_shows(results: Results, tmp_path: Path) -> None:
    """Deviations count only where there are bands of them."""
    lowest = {}
    for bands in (curves.BANDS, 0):
        with pytest.MonkeyPatch.context() as patch, kept() as drawn:
            patch.setattr(curves, "BANDS", bands)
            patch.setattr(curves, "BELOW", 0.01)
            curves.against_seconds(curves.lines(results), tmp_path)
            axis = drawn[0].axes[0]
            lowest[bands] = axis.get_ylim()[0]
            ends = [line.get_ydata()[-1] for line in axis.lines]
    assert lowest[0] <= min(ends)
    assert lowest[curves.BANDS] <= lowest[0]


def test_an_image_that_is_filled_exactly_is_in_no_line(results: Results, tmp_path: Path) -> None:
    """Lines of all methods are of the same images."""
    rows = results.rows.copy()
    is_exact = (rows["method"] == "mean") & (rows["image"] == "wide")
    rows.loc[is_exact, "psnr_hole"] = np.inf
    lines = curves.lines(dataclasses.replace(results, rows=rows))
    assert {(line.n, line.planned) for line in lines.fills.values()} == {(1, 2)}
    assert {(line.n, line.planned) for line in lines.networks.values()} == {(2, 4)}
    with kept() as drawn:
        curves.against_iterations(lines, tmp_path)
        said = [text.get_text().strip() for text in drawn[0].axes[1].texts]
    assert {"mean (1/2)", "nearest (1/2)"} <= {*said}


@pytest.mark.parametrize("method", ["mean", "plain"])
def test_a_method_that_fills_all_exactly_has_no_line(
    results: Results, tmp_path: Path, method: str
) -> None:
    rows = results.rows.copy()
    rows.loc[rows["method"] == method, "psnr_hole"] = np.inf
    lines = curves.lines(dataclasses.replace(results, rows=rows))
    assert method not in {place[-1] for place in lines.fills}
    assert {"nearest", "biharmonic"} <= {place[-1] for place in lines.fills}
    assert curves.against_iterations(lines, tmp_path)
    assert curves.against_seconds(lines, tmp_path)


def test_a_sheet_shows_what_was_drawn_in_the_hole(results: Results, pictures: Drawn) -> None:
    sheet, errors = (pictures.figures[name][0] for name in ("contact_sheets", "error_maps"))
    shown = {
        axis.get_title().replace("\n", ""): axis.images[0].get_array()
        for axis in sheet.axes
        if axis.get_title()
    }
    captions = [axis.get_xlabel() for axis in sheet.axes if axis.get_xlabel()]
    rows = results.final[results.final["mask"] == "bernoulli"]
    (row,) = rows.query(
        "method == 'plain' and output == 'averaged' and image == 'square' and seed == 0"
    ).to_dict("records")
    run = results.run(row["key"])
    restored = run.restoration("averaged", 40)
    expected = np.where(run.known, run.truth, restored).transpose(1, 2, 0)
    assert np.array_equal(shown["plain"], expected)
    truth = next(pixels for title, pixels in shown.items() if title.startswith("square"))
    assert np.array_equal(truth, run.truth.transpose(1, 2, 0))
    assert f"{row['psnr_hole']:.2f} dB\nSSIM {row['ssim_hole']:.3f}" in captions
    (error, *_) = (
        axis.images[0].get_array() for axis in errors.axes if axis.get_title() == "plain"
    )
    assert errors.axes[-1].findobj(QuadMesh)  # the scale
    by_hand = np.abs(restored / 255 - run.truth / 255).mean(axis=0)
    assert np.asarray(error) == pytest.approx(by_hand)


def test_a_sheet_of_many_images_says_that_it_shows_some(results: Results, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, kept() as drawn:
        patch.setattr(sheets, "IMAGES", 1)
        sheets.contact_sheets(results, sheets.choose(results), tmp_path)
        assert any("(1 of 2 images)" in text.get_text() for text in drawn[0].texts)


def test_a_method_without_a_result_has_its_status_on_the_sheet(
    results: Results, tmp_path: Path
) -> None:
    """And one without an average is shown raw."""
    rows, jobs = results.rows, results.jobs.copy()
    lost = jobs["method"].eq("plain") & jobs["image"].eq("square")
    jobs.loc[lost, "status"] = "diverged"
    rows = rows[~(rows["method"].eq("plain") & rows["image"].eq("square"))]
    rows = rows[~((rows["method"] == LONG) & (rows["output"] == "averaged"))]
    partial = dataclasses.replace(results, rows=rows, jobs=jobs)
    for draw in (sheets.contact_sheets, sheets.error_maps):
        with kept() as drawn:
            draw(partial, sheets.choose(partial), tmp_path)
            axes = drawn[0].axes
        # The caption of a picture with a close-up stands below that, which is the next one.
        said = [
            (axis.get_title(), axis.get_xlabel() or below.get_xlabel())
            for axis, below in pairwise(axes)
        ]
        assert next(caption for title, caption in said if title == "plain") == "diverged"
        raw = next(caption for title, caption in said if title.startswith("skip with"))
        assert re.search(r"\d", raw)


def test_training_is_an_animation_of_its_checkpoints(results: Results, tmp_path: Path) -> None:
    names = animation.animations(results, tmp_path)
    assert names == ["training-1.webp", "training-2.webp"]
    rows = results.rows
    first = rows[(rows["method"] == LONG) & (rows["image"] == "square") & (rows["seed"] == 0)]
    run = results.run(first[first["mask"] == "bernoulli"]["key"].iloc[0])
    with Pillow.open(tmp_path / names[0]) as picture:
        assert picture.n_frames == 3
        for index, iteration in enumerate((4, 10, 40)):
            picture.seek(index)
            frame = np.asarray(picture.convert("RGB"))
            factor = -(-animation.SIDE // 40)
            left = animation.MARGIN + 40 * factor + animation.MARGIN
            top = frame.shape[0] - 2 * animation.MARGIN - animation.LINE - 40 * factor
            part = frame[top : top + 40 * factor : factor, left : left + 40 * factor : factor]
            assert np.array_equal(part, run.restoration("raw", iteration).transpose(1, 2, 0))
    two = dataclasses.replace(results, rows=rows[rows["iteration"] != 10])
    assert animation.animations(two, tmp_path) == []
