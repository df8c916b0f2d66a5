"""Reports: every number in a table is the one in results.csv."""

import dataclasses
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image as Pillow
from scipy import stats
from support.commands import Command
from support.suites import TINY
from support.tables import comparisons

from benchmarks.scoring.results import ROWS, Results, load_results
from dip.errors import InputError
from reports.build import Report, build
from reports.commands.app import main
from reports.figures import sheets
from reports.tables import coverage
from reports.tables import stopping as stopping_rules
from reports.tables.formats.write import to_markdown
from reports.tables.timing import timing

Write = Callable[..., Path]
SECONDS = r"(\d\.\d{3}|< 0\.001)"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Of two images; what changes its files has a copy of them, `own`."""
    folder = tmp_path_factory.mktemp("report")
    changed = {
        "images": ["astronaut", "camera"],
        "seeds": [0, 1],
        "masks": ["bernoulli", {"boxes": {"count": 1, "side": 8}}],
    }
    suite = folder / "two images.yaml"
    suite.write_text(yaml.safe_dump({**TINY, **changed}))
    assert main(["run", str(suite), "--out", str(folder / "results"), "--workers", "0"]) == 0
    return load_results(folder / "results" / "two images")


@pytest.fixture(scope="module")
def report(results: Results) -> Report:
    return build(results.folder)


@pytest.fixture
def own(results: Results, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results.folder, tmp_path / "results" / "own"))


def test_the_summary_shows_the_tables_that_lie_beside_it(report: Report) -> None:
    folder, summary = report.summary.parent / "tables", report.summary.read_text()
    for name in (
        "leaderboard",
        "comparison-psnr",
        "comparison-ssim",
        "paired-psnr",
        "iterations",
        "architectures",
    ):
        assert (folder / f"{name}.md").read_text() in summary
    (timing,) = folder.glob("timing-*.md")
    assert timing.read_text() in summary
    assert to_markdown(report.table) == (folder / "leaderboard.md").read_text()
    assert summary.index("## Findings") < summary.index(report.findings[0])
    assert "with fewer than 6 images p cannot fall below 0.05" in summary
    assert "This suite asks no question: all comparisons below are exploratory" in summary
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".md", ".tex"}
    assert not (folder / "comparison-lpips.md").exists()  # the suite does not ask for it


def test_names_that_look_like_numbers_stay_names(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    for name, grey in (("1", 10), ("01", 200)):
        picture = Pillow.linear_gradient("L").point(lambda value, grey=grey: value // 2 + grey // 4)
        picture.save(tmp_path / "photos" / f"{name}.png")
    suite = suite_file(
        dataset={"folder": "photos"},
        images=None,
        methods=[{**TINY["methods"][0], "label": "32"}],
    )
    done = command("benchmarks", "run", suite, "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    table = comparisons(load_results(tmp_path / "results" / "tiny"))[0].numbers
    assert table["method"].tolist() == ["32", "32"]
    assert table["images"].tolist() == [2, 2]
    assert table["half_width"].notna().all()


def test_the_question_and_its_answer_come_first(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    question = {"reference": "mean", "margin": 0.3}
    images, out = ["astronaut", "camera"], tmp_path / "results"
    done = command("reports", "bench", suite_file(images=images, question=question), "--out", out)
    assert done.returncode == 0, done.stderr
    folder = out / "tiny" / "report"
    summary, page = ((folder / name).read_text() for name in ("summary.md", "index.html"))
    title = "Is quick better or worse than mean by PSNR hole (dB), output averaged?"
    answer = (folder / "tables" / "question.md").read_text()
    finding = next(text for text in done.stdout.splitlines() if "quick and mean" in text)
    assert finding.startswith("- No clear difference between quick and mean: inconclusive (")
    board, found = (folder / "tables" / "leaderboard.md").read_text(), finding.removeprefix("- ")
    assert summary.index(found) < summary.index(board) < summary.index(title)
    assert summary.index(title) < summary.index(answer) < summary.index("not planned. They are")
    assert page.index(found) < page.index(title)
    assert "was asked after" not in summary + page + done.stdout
    # Another margin, now that the scores are known.
    suite = suite_file(images=images, question={**question, "margin": 5})
    done = command("reports", "bench", suite, "--out", out)
    after = "This question was asked after 2 of 2 fits were made."
    summary, page = ((folder / name).read_text() for name in ("summary.md", "index.html"))
    assert f"NOTICE: {after}" in done.stdout
    assert f"\n{after}\n- Compared: " in done.stdout
    assert f"**{after}**\n\n## Findings" in summary
    assert f'<p class="notice">{after}</p>' in page


def test_a_mean_over_fewer_images_says_so(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """SSIM needs 11 pixels: a smaller image has a result, but not that score."""
    (tmp_path / "photos").mkdir()
    for name, side in (("large", 40), ("small", 10)):
        Pillow.linear_gradient("L").resize((side, side)).save(tmp_path / "photos" / f"{name}.png")
    suite = suite_file(
        dataset={"folder": "photos"}, images=None, size=None, methods=[{"fill": "mean"}]
    )
    done = command("reports", "bench", suite, "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    assert "NOTICE: ssim is empty: needs 11 pixels on each side, not 10x10" in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("mean "))
    ssim = r"\d\.\d{3} \(1/2\)"  # that of one image, and no mean to rank by
    assert re.fullmatch(rf"mean +\d+\.\d\d +- +{ssim} +{SECONDS} +2/2 *", line)
    folder = tmp_path / "results" / "tiny" / "report" / "tables"
    ssim = (folder / "comparison-ssim.md").read_text().splitlines()[-1]
    assert re.fullmatch(rf"\| mean \| raw \| \d\.\d{{3}} \(1/2\) \| - \| - \| {SECONDS} \|", ssim)


def test_a_report_without_any_result_is_whole(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = suite_file(), tmp_path / "results"
    assert command("benchmarks", "score", suite, "--out", out).returncode == 0
    assert command("reports", "build", out / "tiny").returncode == 0
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert "0 of 2 jobs are done; the others are under *Jobs to look at*." in summary
    assert "| mean | - | - | - | - | - | 0/1 |" in summary
    assert "None" not in summary
    assert "## Timing" not in summary


def test_a_revision_that_looks_like_a_number_stays_a_name(results: Results, own: Path) -> None:
    rows = results.rows.assign(git_revision="152126e07694")
    rows.to_csv(own / "results.csv", index=False)
    assert "revision: 152126e07694" in load_results(own).origin


def test_a_report_whose_runs_are_gone_is_one_line(own: Path, command: Command) -> None:
    """The copy has none beside it."""
    done = command("reports", "build", own)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "`run` runs again what is missing" in done.stderr


def test_a_report_that_cannot_be_built_leaves_the_last_one(
    results: Results, report: Report
) -> None:
    folder = report.summary.parent
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def breaks(*_: object) -> None:
        raise OSError("no room")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheets, "contact_sheets", breaks)
        with pytest.raises(InputError, match=r"report: cannot be built \(no room\)"):
            build(results.folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    build(results.folder)  # over what the one that broke has left
    assert not (results.folder / ".report-partial").exists()


def test_the_stopping_table_holds_rules_against_the_end_and_the_oracle(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(
        images=["astronaut", "camera"],
        seeds=[0, 1],
        iterations=[10, 40],
        rules=[{"es-wmv": {"window": 4, "patience": 5}}, {"es-emv": {"warm_up": 3}}],
    )
    out = tmp_path / "results"
    assert command("reports", "bench", suite, "--out", out).returncode == 0
    results = load_results(out / "tiny")
    stopping = stopping_rules.stopping(results)
    assert stopping is not None
    table = stopping.numbers.set_index("kept")
    rules = ["stop:es-wmv[window=4,patience=5]", "stop:es-emv[warm_up=3]"]
    assert list(table.index) == ["final, raw", "final, averaged", *rules]
    rows = results.rows[results.rows["iteration"] > 0]
    for kept, line in table.iterrows():
        name = str(kept).removeprefix("final, ")
        of = rows[
            (rows["output"] == name) & (rows["output"].isin(rules) | (rows["iteration"] == 40))
        ]
        assert len(of) == line["n"] == line["N"] == 4
        assert line["iteration_median"] == of["iteration"].median()
        regret = [
            (part["oracle_psnr_hole"] - part["psnr_hole"]).mean() for _, part in of.groupby("image")
        ]
        assert line["regret_mean"] == pytest.approx(sum(regret) / 2)
        low, high = stats.t.interval(0.95, 1, sum(regret) / 2, stats.sem(regret))
        assert line["regret_half_width"] == pytest.approx((high - low) / 2)
        assert min(regret) >= 0
    assert table["stopped"].tolist()[2:] == [
        rows[rows["output"] == rule]["stopped_at"].notna().sum() for rule in rules
    ]
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert (out / "tiny" / "report" / "tables" / "stopping.md").read_text() in summary
    # Nobody who chose without the truth stands in a column with the oracle.
    assert not any("stop:" in name or "oracle" in name for name in results.final["output"])


def test_coverage_compares_all_methods_on_the_same_pixels(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    methods = [
        {
            "preset": "lemsky-unet",
            "label": f"kernel {kernel}",
            "set": {"architecture.channels": [4, 4], "architecture.decoder_kernel": kernel},
        }
        for kernel in (3, 9)
    ]
    suite = suite_file(
        images=["astronaut", "camera"], size=40, masks=[{"boxes": {"count": 1, "side": 26}}],
        methods=[*methods, TINY["methods"][0], {"fill": "mean"}],
    )  # fmt: skip
    out = tmp_path / "results"
    assert command("reports", "bench", suite, "--out", out).returncode == 0
    results = load_results(out / "tiny")
    measured = coverage.per_image(results).set_index(["method", "image"])
    assert len(measured) == 4  # the input of `quick` is not learned
    keys = results.final.query("output == 'raw'").set_index(["method", "image"])["key"]
    for image in ("astronaut", "camera"):
        run = results.run(keys["kernel 3", image])
        assert run.reached is not None
        beyond, hole = ~run.reached & ~run.known, ~run.known
        assert measured["uncovered"]["kernel 3", image] == pytest.approx(beyond.sum() / hole.sum())
        assert measured["uncovered"]["kernel 9", image] == 0
        for method in ("kernel 3", "kernel 9"):
            restored = results.run(keys[method, image]).restoration("raw", 4).astype(float)
            errors = ((restored - run.truth) / 255) ** 2
            line = measured.loc[(method, image)]
            expected = -10 * np.log10(errors[:, beyond].mean())
            assert line["psnr_beyond"] == pytest.approx(expected)
            expected = -10 * np.log10(errors[:, hole & ~beyond].mean())
            assert line["psnr_within"] == pytest.approx(expected)
            if image == "astronaut":
                colour = np.ptp(restored, axis=0)
                limit = np.ptp(run.truth.astype(float), axis=0)[run.known].max()
                assert line["vivid_beyond"] == pytest.approx((colour[beyond] > limit).mean())
            else:
                assert math.isnan(line["vivid_beyond"])
    table = _coverage(results)
    assert table["coloured"].tolist() == [1, 1]
    assert table["n"].tolist() == table["N"].tolist() == [2, 2]
    # An image that one of them has no result for is measured for none.
    lost = results.rows["key"] == keys["kernel 9", "camera"]
    partial = dataclasses.replace(results, rows=results.rows[~lost])
    table = _coverage(partial)
    assert table["n"].tolist() == [1, 1]
    assert list(coverage.coverage_text(table)["images"]) == ["1 of 2, 1 in colour"] * 2
    report = out / "tiny" / "report"
    assert (report / "tables" / "coverage.md").read_text() in (report / "summary.md").read_text()
    with Pillow.open(report / "figures" / "coverage-1.png") as picture:
        assert len(picture.convert("RGB").getcolors(2**24) or ()) > 50


def _coverage(results: Results) -> pd.DataFrame:
    table = coverage.coverage(coverage.per_image(results), results)
    assert table is not None
    return table.numbers


def test_a_metric_that_results_were_not_asked_for_is_empty(results: Results, own: Path) -> None:
    """The same holds for a metric that was added after the results were scored."""
    results.rows.drop(columns="lpips_full").to_csv(own / "results.csv", index=False)
    assert load_results(own).rows["lpips_full"].isna().all()


def test_results_of_another_version_are_one_line(results: Results, own: Path) -> None:
    results.rows.drop(columns="uncovered").to_csv(own / "results.csv", index=False)
    with pytest.raises(InputError, match="of another version, without uncovered; `dip-bench"):
        build(own)


def test_a_number_that_is_none_is_one_line_whatever_its_column(results: Results, own: Path) -> None:
    for column in (*ROWS.whole, *ROWS.numbers):
        edited = results.rows.assign(**{column: "0,5"})
        edited.to_csv(own / "results.csv", index=False)
        with pytest.raises(InputError) as caught:
            load_results(own)
        where = f"results.csv cannot be read (column '{column}', line 2: '0,5' is not a"
        assert where in str(caught.value)
        assert "`dip-bench score SUITE` writes it anew" in str(caught.value)


def test_tables_that_do_not_go_together_are_one_line(results: Results, own: Path) -> None:
    whole = (own / "results.csv").read_text()
    results.rows.head(0).to_csv(own / "results.csv", index=False)
    with pytest.raises(InputError, match="results.csv is empty; `dip-bench score SUITE` writes"):
        load_results(own)
    results.rows.replace({"image": {"camera": "1"}}).to_csv(own / "results.csv", index=False)
    with pytest.raises(InputError, match="results.csv has 1/.*, which jobs.csv lacks; score again"):
        load_results(own)
    (own / "results.csv").write_text(whole)
    results.jobs.head(0).to_csv(own / "jobs.csv", index=False)
    with pytest.raises(InputError, match="jobs.csv names no job; `dip-bench score SUITE` writes"):
        load_results(own)


def test_an_exact_image_is_in_no_mean_of_the_stopping_table(results: Results) -> None:
    rows = results.rows.assign(oracle_psnr_hole=math.inf)
    rows.loc[rows["image"] == "camera", "psnr_hole"] = math.inf
    rows.loc[rows["image"] != "camera", "oracle_psnr_hole"] = rows["psnr_hole"] + 1
    chosen = rows[(rows["iteration"] == 4) & (rows["output"] == "raw")].assign(output="stop:x")
    table = stopping_rules.stopping(dataclasses.replace(results, rows=pd.concat([rows, chosen])))
    assert table is not None
    assert table.numbers["regret_mean"].to_numpy() == pytest.approx(1)
    of_camera = chosen[chosen["image"] == "camera"].groupby(["mask", "method"]).size()
    by_rule = table.numbers[table.numbers["kept"] == "stop:x"].set_index(["mask", "method"])
    assert by_rule["exact"].to_dict() == of_camera.to_dict()
    assert (by_rule["exact"] > 0).all()


def test_curves_hold_what_was_noted_and_what_was_scored(results: Results) -> None:
    """Four iterations are too few for the observer: these are the checkpoints' scores."""
    curves = results.curves
    assert len(curves) == 8 * 2 * 2
    rows = results.rows[(results.rows["iteration"] == 4) & (results.rows["output"] == "raw")]
    noted = curves[(curves["iteration"] == 4) & (curves["output"] == "raw")]
    assert sorted(noted["psnr_hole"]) == sorted(rows["psnr_hole"])


def test_seeds_of_images_and_iterations_of_a_method_come_out_as_asked(tmp_path: Path) -> None:
    """From the suite's file to its report, with two networks and two images."""
    quick = TINY["methods"][0]
    suite = tmp_path / "own.yaml"
    changed = {
        "images": ["astronaut", "camera"],
        "size": None,
        "crop": 24,
        "methods": [quick, {**quick, "label": "longer", "iterations": 6}, {"fill": "mean"}],
        "iterations": [1, 2, 3],
        "seeds": {"per-image": 2},
        "rules": [{"es-wmv": {"window": 2, "patience": 1}}],
    }
    changed["methods"][1]["set"] = {**quick["set"], "learning_rate": 0.02}
    suite.write_text(yaml.safe_dump({**TINY, **changed}))
    assert main(["run", str(suite), "--out", str(tmp_path), "--workers", "0"]) == 0
    results = load_results(tmp_path / "own")
    assert json.loads((results.folder / "suite.json").read_text())["method_iterations"] == {
        "longer": [2, 4, 6]
    }
    assert results.rows.groupby("method")["iteration"].max().to_dict() == {
        "quick": 3,
        "longer": 6,
        "mean": 0,
    }
    fits = results.jobs[results.jobs["preset"] != ""]
    assert fits.groupby("image")["seed"].unique().map(len).tolist() == [2, 2]
    assert fits["seed"].nunique() == 4  # none is that of two images
    report = build(results.folder).summary
    summary = report.read_text()
    assert "Leaderboard by PSNR hole (dB), at each method's last iteration:" in summary
    assert "*final*: the outputs at each method's last iteration." in summary
    assert "| 33.3 % | 66.7 % | 100 % |" in summary
    assert (report.parent / "figures" / "training-1.webp").exists()
    (psnr, *_) = comparisons(results)
    assert psnr.numbers["between_seeds"].notna().sum() == 4  # of each network's outputs


def test_timing_says_how_it_was_measured(results: Results) -> None:
    (table,) = timing(results, "mean")
    (line,) = table.numbers.itertuples()
    assert line.method == TINY["methods"][0]["preset"]
    assert line.milliseconds_p10 <= line.milliseconds_median <= line.milliseconds_p90
    assert line.fits == 8
    assert line.fits_beside == 0
    assert line.parameters > 0
    assert f"fits on {line.device}" in table.title
    assert f"torch {torch.__version__.partition('+')[0]}" in table.about


def test_a_report_needs_results(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no results .*dip-bench run SUITE"):
        build(tmp_path / "none")


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("iterations", [], "iterations are numbers, not"),
        ("method_iterations", [], "method_iterations: is no list by method"),
        ("method_iterations", {"quick": 4}, "iterations are numbers, not 4"),
        ("metrics", None, "metrics: is no list"),
        ("environments", [{"device": "x"}], "environments: one has no versions"),
        ("suite", {"name": "tiny"}, "suite: is no name with its YAML"),
        ("environments", [{"versions": {}}], "environments: one has no device"),
    ],
)
def test_a_suite_s_own_words_are_checked(own: Path, key: str, value: object, match: str) -> None:
    path = own / "suite.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(InputError, match=match):
        build(own)
