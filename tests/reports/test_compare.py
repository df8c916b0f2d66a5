"""Several results folders in one table."""

import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import ROOT, Command
from support.synthetic import synthetic

from benchmarks.scoring.max_t import sign_flip_p
from benchmarks.scoring.results import Results, at_common_iteration, load_results
from dip.errors import InputError
from reports.compare import build_side_by_side, side_by_side
from reports.tables.formats.write import to_markdown
from reports.tables.timing import timed_alone

Write = Callable[..., Path]
PUBLISHED = ROOT / "reports" / "published" / "timing"


def _better(results: Results, by: float) -> Results:
    """The same images and holes, seeds that fell otherwise, and networks so much better."""
    rows = results.rows.copy()
    is_network = rows["iteration"] > 0
    spread = pd.Series([0.1 * ((7 * index) % 11 - 5) for index in range(len(rows))], rows.index)
    rows.loc[is_network, "psnr_hole"] += by + spread[is_network]
    return dataclasses.replace(results, rows=rows)


def _by_image(results: Results, mask: str, output: str) -> "pd.Series[float]":
    rows = results.final[results.final["method"] == "a"]
    rows = rows[(rows["mask"] == mask) & (rows["output"] == output)]
    return rows.groupby("image")["psnr_hole"].mean()


def test_an_image_that_either_fills_exactly_is_in_no_difference() -> None:
    one = synthetic(8, {"a": 1.0}, {"mean": -5})
    two = _better(one, 0.4)
    rows = two.rows.copy()
    is_exact = (rows["image"] == "image-002") & (rows["method"] == "a")
    rows.loc[is_exact, "psnr_hole"] = math.inf
    exact = dataclasses.replace(two, rows=rows)
    fewer = [
        dataclasses.replace(
            each,
            rows=each.rows[each.rows["image"] != "image-002"],
            jobs=each.jobs[each.jobs["image"] != "image-002"],
        )
        for each in (one, two)
    ]
    found = side_by_side({"before": one, "after": exact})[0]
    expected = side_by_side(dict(zip(("before", "after"), fewer, strict=True)))[0]
    columns = [name for name in expected.numbers if name.startswith("after: difference")]
    pd.testing.assert_frame_equal(found.numbers[columns], expected.numbers[columns])
    assert "(21/24, 3 exact)" in to_markdown(found)
    assert "left out of the means" in found.about


def test_differences_are_paired_over_images() -> None:
    one = synthetic(8, {"a": 1.0}, {"mean": -5})
    two = _better(one, 0.4)
    table = side_by_side({"before": one, "after": two})[0]
    lines = table.numbers.set_index(["mask", "method", "output"])
    differences = []
    for mask in ("hole-0", "hole-1"):
        for output in ("raw", "averaged"):
            of = [_by_image(results, mask, output) for results in (one, two)]
            line = lines.loc[(mask, "a", output)]
            assert line["before: mean"] == pytest.approx(of[0].mean())
            assert line["after: difference"] == pytest.approx((of[1] - of[0]).mean())
            differences.append(of[1] - of[0])
    found = lines.loc[pd.IndexSlice[:, "a"], "after: p"]
    assert list(found) == pytest.approx(list(sign_flip_p(np.array(differences))))
    assert found.min() < 0.05
    assert set(lines.loc[pd.IndexSlice[:, "mean"], "after: p"]) == {1.0}
    assert "| 0.00 ± 0.00 | 1.000 |" in to_markdown(table)
    assert "better" not in to_markdown(table)
    assert "exploratory" in table.about


def test_what_only_one_has_stands_alone() -> None:
    one, two = (synthetic(8, {name: 1.0}, {"mean": -5}) for name in ("a", "b"))
    table = side_by_side({"one": one, "two": two})[0]
    line = table.numbers.set_index(["mask", "method", "output"]).loc[("hole-0", "b", "raw")]
    assert math.isnan(line["one: mean"])
    assert (line["one: n"], line["one: N"], line["two: n"]) == (0, 0, 24)
    assert math.isnan(line["two: difference"])


def test_they_are_compared_at_the_iterations_that_all_have() -> None:
    long = synthetic(8, {"a": 1.0}, {}, iterations=(100, 200, 400))
    short = synthetic(8, {"a": 1.0}, {}, iterations=(100, 200))
    table = side_by_side({"long": long, "short": short})[0]
    assert "after 200 iterations" in table.title
    expected = long.rows.query("iteration == 200 and output == 'raw' and mask == 'hole-0'")
    assert table.numbers["long: mean"][0] == pytest.approx(expected["psnr_hole"].mean())
    other = synthetic(8, {"a": 1.0}, {}, iterations=(150,))
    with pytest.raises(InputError, match="no iteration count in common"):
        side_by_side({"long": long, "other": other})


def test_other_holes_are_refused() -> None:
    one = synthetic(8, {}, {"mean": 1.0})
    rows = one.rows.copy()
    rows.loc[rows["image"] == "image-003", "hole_fraction"] += 0.01
    two = dataclasses.replace(one, rows=rows)
    with pytest.raises(InputError, match="'a' and 'b': image-003/hole-0 is not the same hole"):
        side_by_side({"a": one, "b": two})
    elsewhere = dataclasses.replace(one, rows=one.rows.assign(mask="other"))
    with pytest.raises(InputError, match="'a' and 'b' have no image and hole in common"):
        side_by_side({"a": one, "b": elsewhere})


def test_times_of_two_devices_have_a_column_each() -> None:
    one = synthetic(8, {"a": 1.0}, {})
    two = dataclasses.replace(
        one, rows=one.rows.assign(device="a GPU", milliseconds_median=2.0, workers=1)
    )
    table = side_by_side({"old": one, "new": two})[-1]
    assert list(table.panels[0].columns)[-2:] == ["old, a processor", "new, a GPU"]
    assert len(table.numbers) == 2  # beside another fit, and alone: not the same


def test_each_method_is_compared_at_the_last_iteration_that_all_have() -> None:
    own = {"b": (300, 600)}
    networks = {"a": 1.0, "b": 0.0}
    one = synthetic(8, networks, {}, iterations=(100, 200), own_iterations=own)
    two = synthetic(8, networks | {"c": 2.0}, {}, own_iterations={"b": (600, 900), "c": (7, 9)})
    cut = at_common_iteration([one, two])
    assert [(each.last_of("a"), each.last_of("b")) for each in cut] == [(200, 600)] * 2
    assert cut[1].last_of("c") == 9  # which the other does not have
    for each in cut:
        assert set(each.final.query("method == 'b'")["iteration"]) == {600}
    assert (
        "at each method's last iteration, side by side"
        in side_by_side({"one": one, "two": two})[0].title
    )
    usual = synthetic(8, networks, {}, iterations=(300, 200))  # `b` has no iterations of its own
    assert [each.last_of("b") for each in at_common_iteration([one, usual])] == [300, 300]
    fewer = synthetic(8, networks, {}, iterations=(100, 200))
    with pytest.raises(InputError, match="have no iteration count of 'b' in common"):
        at_common_iteration([one, fewer])


def test_two_folders_by_command(suite_file: Write, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "results"
    suite = suite_file()
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    shutil.copytree(out / "tiny", tmp_path / "other" / "tiny")
    folders = (out / "tiny", tmp_path / "other" / "tiny")
    labels = ("--label", "here", "--label", "there")
    done = command("reports", "build", *folders, *labels)
    assert done.returncode == 0, done.stderr
    summary = out / "side-by-side" / "here-there" / "summary.md"
    assert done.stdout.strip().endswith(f"Report: {summary}")
    assert "| 0.00 | 1.000 |" in done.stdout
    page = summary.read_text()
    assert f"- here: {out / 'tiny'}\n" in page
    assert "- here: revision: " in page
    assert (summary.parent / "tables" / "side-by-side-psnr.tex").exists()
    assert (summary.parent / "tables" / "side-by-side-timing.csv").exists()
    assert load_results(folders[1]).last_iteration == 4
    elsewhere = tmp_path / "elsewhere"
    assert command("reports", "build", *folders, *labels, "--out", elsewhere).returncode == 0
    assert (elsewhere / "summary.md").exists()
    unnamed = command("reports", "report", *folders)  # by their paths
    assert unnamed.returncode == 0, unnamed.stderr
    (third,) = {*(out / "side-by-side").iterdir()} - {summary.parent}
    assert f"- {folders[0]}: revision: " in (third / "summary.md").read_text()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("A", "A"), "--label: labels have to differ"),
        (("A", "B"), "A: there is no such folder"),
        (("A", "B", "--label", "x"), "--label: 2 folders need as many labels, not 1"),
        (("A", "B", "--label", "hole", "--label", "x"), "'hole' is a column's own name"),
        ((".", "B", "--label", "x", "--label", "y"), "B: there is no such folder"),
        ((".", ".", "--label", "x", "--label", "y"), ".: holds no results"),
        (("A", "--label", "x"), "--label is for several folders"),
        (("A", "B", "--reference", "x"), "--reference: several folders are compared"),
    ],
)
def test_what_cannot_be_put_side_by_side_is_one_line(
    words: tuple[str, ...], match: str, command: Command
) -> None:
    done = command("reports", "build", *words)
    assert done.returncode == 2
    assert match in done.stderr
    assert done.stderr.count("\n") == 1


def test_timings_have_tables_too(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "amx"
    shutil.copytree(PUBLISHED / "intel-xeon-amx", folder)
    done = command("reports", "build", folder)
    assert done.returncode == 0, done.stderr
    described = json.loads((folder / "environment.json").read_text())
    page = (folder / "report" / "summary.md").read_text()
    assert f"on {described['device']}" in page
    assert f"torch {described['versions']['torch']}" in page
    tables = {table.name: table for table in timed_alone(folder)}
    assert (folder / "report" / "tables" / "timing-sweep.tex").exists()
    source = pd.read_csv(folder / "timing.csv").query("table == 'sweep'")
    sweep = tables["timing-sweep"].panels[0]
    assert [cell.number for cell in sweep["it/s"]] == list(source["iterations_per_second"])
    assert [cell.number for cell in sweep["TFLOP/s"]] == list(source["gflops"] / 1000)
    assert [cell.number for cell in sweep["% peak"]] == list(100 * source["share_of_peak"])
    assert sweep["parameters"][0] == "3,923,491"
    assert sweep["seconds per fit"][0] == (
        f"{source['seconds_per_fit'][0]:.0f} for {source['preset_iterations'][0]}"
    )
    shutil.copytree(PUBLISHED / "intel-xeon-amx-512", tmp_path / "512")
    labels = ("--label", "one", "--label", "two")
    done = command("reports", "build", folder, tmp_path / "512", *labels)
    assert done.returncode == 0, done.stderr
    assert f"| one, {described['device']} | two, {described['device']} |" in done.stdout
    refused = command("reports", "build", folder, "--reference", "x")
    assert "--reference: timings are compared with the plain loop" in refused.stderr
    mixed = command("reports", "build", folder, tmp_path, *labels)
    assert "timings and a suite's results have nothing to compare" in mixed.stderr


def test_timings_of_another_version_are_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "amx"
    shutil.copytree(PUBLISHED / "intel-xeon-amx", folder)
    table = pd.read_csv(folder / "timing.csv").drop(columns="parameters")
    table.to_csv(folder / "timing.csv", index=False)
    with pytest.raises(InputError, match="of another version, without parameters"):
        timed_alone(folder)
    table.assign(parameters=1).head(0).to_csv(folder / "timing.csv", index=False)
    with pytest.raises(InputError, match="of another version, without any row"):
        timed_alone(folder)
    table.assign(parameters="1,5").to_csv(folder / "timing.csv", index=False)
    with pytest.raises(InputError, match="column 'parameters', line 2: '1,5' is not a number"):
        timed_alone(folder)
    table.assign(parameters=1).to_csv(folder / "timing.csv", index=False)
    (folder / "environment.json").write_text("{")
    with pytest.raises(InputError, match="the timings cannot be read"):
        build_side_by_side([folder, folder], ["a", "b"])
