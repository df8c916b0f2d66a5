"""Our figures beside the published ones."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image as Pillow
from scipy import stats
from support.commands import Command
from support.suites import TINY

import datasets.manifest
from benchmarks.scoring.results import Results, load_results
from reports.build import build
from reports.tables.reproduction import reproduction, reproduction_text

Write = Callable[..., Path]


def _results(
    rows: list[tuple[str, int, float]], published: dict[str, float], seeds: int = 3
) -> Results:
    """rows: image, seed, psnr_full of a method at iteration 10; so many seeds are planned."""
    table = pd.DataFrame(rows, columns=["image", "seed", "psnr_full"])
    about = {"method": "ours", "mask": "own"}
    table = table.assign(**about, iteration=10, output="raw", psnr_hole=table["psnr_full"] - 3)
    jobs = pd.DataFrame({"image": image, **about} for image in published for _ in range(seeds))
    # None of these are the runs that are meant.
    others = [{"method": "other"}, {"mask": "half"}, {"iteration": 9}, {"output": "averaged"}]
    wrong = [table.assign(**{**other, "psnr_full": 0.0}) for other in others]
    table = pd.concat([table, *wrong])
    jobs = pd.concat([jobs, *(jobs.assign(**other) for other in others[:2])])
    figures = [
        {
            "image": image,
            "method": "ours",
            "published_by": "DIP",
            "of": "output",
            "iteration": 10,
            "psnr_full": value,
            "psnr_hole": None,
        }
        for image, value in published.items()
    ]
    return Results(Path(), table, jobs, {"published": figures})


def test_a_tolerance_is_the_prediction_interval_of_one_more_run() -> None:
    """By simulation, with spreads that differ: 95 in 100 new runs are within it, of each image."""
    random = np.random.RandomState(0)
    images = {"a": (30.0, 0.1), "b": (25.0, 0.1), "c": (33.0, 0.6)}
    hits = np.zeros(4)
    trials = 400
    for _ in range(trials):
        rows = [
            (name, seed, random.normal(mean, sd))
            for name, (mean, sd) in images.items()
            for seed in range(4)
        ]
        published = {name: random.normal(mean, sd) for name, (mean, sd) in images.items()}
        table = reproduction(_results(rows, published, seeds=4))
        assert table["image"].to_list() == ["a", "b", "c", "mean of 3 of 3"]
        hits += (table["difference"].abs() <= table["tolerance"]).to_numpy()
    # Four standard errors of a share of 0.95; the mean's degrees of freedom are approximate.
    margin = 4 * (0.95 * 0.05 / trials) ** 0.5
    assert hits[:3] / trials == pytest.approx(0.95, abs=margin)
    assert 0.95 - margin < hits[3] / trials


def test_the_numbers_are_those_of_the_rows() -> None:
    rows = [("a", 0, 30.0), ("a", 1, 30.4), ("b", 0, 25.0), ("b", 1, 25.2), ("c", 0, 9.0)]
    table = reproduction(_results(rows, {"a": 33.9, "b": 25.0, "c": 1.0, "d": 2.0}, seeds=2))
    first, second, third, fourth, mean = table.to_dict("records")
    assert (first["ours"], first["published"]) == (pytest.approx(30.2), 33.9)
    assert first["spread"] == pytest.approx(0.08**0.5)
    assert first["tolerance"] == pytest.approx(stats.t.ppf(0.975, 1) * (0.08 * 1.5) ** 0.5)
    assert second["difference"] == pytest.approx(0.1)
    assert third["ours"] == 9.0
    assert mean["image"] == "mean of 2 of 4"
    assert mean["difference"] == pytest.approx((30.2 - 33.9 + 0.1) / 2)
    a, b = 0.08 * 1.5, 0.02 * 1.5
    reach = stats.t.ppf(0.975, (a + b) ** 2 / (a**2 + b**2))
    assert mean["tolerance"] == pytest.approx(reach * (a + b) ** 0.5 / 2)
    text = reproduction_text(table)
    unknown = ["too few runs"] * 2
    assert text["result"].to_list() == ["within", "within", *unknown, "outside"]
    assert text["runs"].to_list() == ["2 of 2", "2 of 2", "1 of 2", "0 of 2", "5 of 8"]
    assert [each.shown for each in text["ours (dB)"]] == ["30.20", "25.10", "9.00", "-", "27.65"]
    assert fourth["n"] == 0


@pytest.mark.parametrize(
    ("runs", "published", "expected"),
    [
        # A run that is lost leaves no result on its image, and the mean is over the others.
        ({"a": [30.0, 30.1], "b": [25.0, 25.1, 25.2]}, [30.0, 25.1],
         [("too few runs", "2 of 3"), ("within", "3 of 3"), ("within", "5 of 6")]),
        # Without any spread they are compared exactly.
        ({"a": [30.0] * 3, "b": [30.0] * 3}, [30.0, 30.1],
         [("within", "3 of 3"), ("outside", "3 of 3"), ("outside", "6 of 6")]),
        ({"a": [30.0, 30.01, 30.02]}, [30.9], [("outside", "3 of 3")]),
    ],
)  # fmt: skip
def test_the_result_goes_by_the_tolerance(
    runs: dict[str, list[float]], published: list[float], expected: list[tuple[str, str]]
) -> None:
    rows = [(name, seed, psnr) for name, each in runs.items() for seed, psnr in enumerate(each)]
    table = reproduction(_results(rows, dict(zip(runs, published, strict=True))))
    text = reproduction_text(table)
    assert list(zip(text["result"], text["runs"], strict=True)) == expected


def test_without_two_seeds_it_cannot_be_told() -> None:
    text = reproduction_text(reproduction(_results([("a", 0, 30.0)], {"a": 30.9}, seeds=1)))
    assert (text["result"][0], text["tolerance"][0].shown) == ("too few runs", "-")


def test_nothing_published_is_no_table() -> None:
    assert reproduction(_results([("a", 0, 30.0)], {})).empty


@pytest.fixture
def image_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A set with its own mask and a published figure, at iterations that a test can afford."""
    monkeypatch.setattr(datasets.manifest, "FOLDER", tmp_path / "manifests")
    monkeypatch.setenv("DIP_MIRROR", str(tmp_path / "mirror"))
    folder = tmp_path / "mirror" / "tiny-set"
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    known = np.ones((36, 40), bool)
    known[10:20, 12:25] = False
    pictures = {"a.png": random.randint(0, 256, (36, 40, 3)).astype(np.uint8), "m.png": known}
    for name, pixels in pictures.items():
        Pillow.fromarray(pixels).save(folder / name)
    sha256 = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in pictures}
    content = {
        "title": "Tiny",
        "address": "https://example.org/",
        "licence": "CC0-1.0",
        "citation": "this test",
        "images": {
            "a": {
                "file": "a.png",
                "height": 36,
                "width": 40,
                "sha256": sha256["a.png"],
                "mask": {"file": "m.png", "sha256": sha256["m.png"]},
                "published": [
                    {"method": "DIP", "iteration": 4, "psnr_full": 7.5},
                    {"method": "DIP", "psnr_full": 9.5},
                    {"method": "Papyan et al.", "iteration": 4, "psnr_full": 8.5},
                    {"method": "Voronoi", "psnr_full": 6.5},
                ],
            }
        },
    }
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "tiny-set.yaml").write_text(yaml.safe_dump(content))
    return "tiny-set"


def test_the_report_has_the_comparison(
    image_set: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    method: dict[str, Any] = {**TINY["methods"][0], "label": "ours", "reproduces": "DIP"}
    settings = {"dataset": image_set, "images": None, "masks": ["own", "half"], "seeds": [0, 1]}
    suite = suite_file(**settings, size=None, methods=[method, {"fill": "mean"}])
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    results = load_results(out / "tiny")
    summary = build(results.folder).summary.read_text()
    rows = results.rows[(results.rows["mask"] == "own") & (results.rows["method"] == "ours")]
    rows = rows[(rows["iteration"] == 4) & (rows["output"] == "raw")]
    assert len(rows) == 2
    shown = f"| ours | DIP | output | 4 | full | a | 7.50 | {rows['psnr_full'].mean():.2f} |"
    assert shown in summary
    assert len(pd.read_csv(results.folder / "report" / "tables" / "reproduction.csv")) == 1
    assert (results.folder / "report" / "tables" / "reproduction.tex").exists()


@pytest.mark.parametrize(
    ("method", "suite", "match"),
    [
        ({"reproduces": "DPI"}, {}, "unknown method 'DPI'. Did you mean 'DIP'?"),
        ({}, {"size": 36}, "published figures are of whole images; leave size out"),
        ({}, {"crop": 16}, "published figures are of whole images; leave crop out"),
        ({}, {"masks": ["half"]}, "published figures are of the set's own holes; add the mask"),
        ({}, {"iterations": [3]}, "published figures are of other iterations: 4"),
        ({"iterations": 3}, {}, "published figures are of other iterations: 4"),
        ({"reproduces": "Voronoi"}, {}, "of which iteration the published figures are is not"),
    ],
    ids=["method", "size", "crop", "mask", "iterations", "own iterations", "no iteration"],
)
def test_what_cannot_be_compared_is_said_at_once(
    image_set: str,
    suite_file: Write,
    command: Command,
    method: dict[str, Any],
    suite: dict[str, Any],
    match: str,
) -> None:
    ours = {**TINY["methods"][0], "reproduces": "DIP", **method}
    settings = {"dataset": image_set, "images": None, "masks": ["own"], "size": None, **suite}
    done = command("benchmarks", "run", suite_file(**settings, methods=[ours]), "--dry-run")
    assert done.returncode == 2
    assert f"tiny.yaml: methods[0].reproduces: {match}" in done.stderr


def test_a_hole_without_truth_is_no_job(
    image_set: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "manifests" / f"{image_set}.yaml"
    content = yaml.safe_load(path.read_text())
    content["images"]["a"]["mask"]["has_truth"] = False
    path.write_text(yaml.safe_dump(content))
    settings = {"dataset": image_set, "images": None, "methods": [{"fill": "mean"}]}
    assert command("benchmarks", "run", suite_file(**settings), "--dry-run").returncode == 0
    done = command("benchmarks", "run", suite_file(**settings, masks=["own"]), "--dry-run")
    assert done.returncode == 2
    assert "masks[0]: own: nobody knows what is behind the hole of 'a'" in done.stderr
    picture = tmp_path / "holes.png"
    shown = command("datasets", "preview", image_set, "--mask", "own", "--size", 36, "-o", picture)
    assert shown.returncode == 0
