"""Our figures beside the published ones."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import TINY, Command
from PIL import Image as Pillow
from scipy import stats

import datasets.manifest
from reports.build import build
from reports.reproduction import reproduction, reproduction_text
from reports.results import Results, load_results

Write = Callable[..., Path]


def _results(rows: list[tuple[str, int, float]], published: dict[str, float]) -> Results:
    """rows: image, seed, psnr_full of a method at iteration 10."""
    table = pd.DataFrame(rows, columns=["image", "seed", "psnr_full"])
    table = table.assign(
        method="ours", iteration=10, output="raw", mask="own", psnr_hole=table["psnr_full"] - 3
    )
    about = {
        "published": [
            {
                "image": image,
                "method": "ours",
                "published_by": "DIP",
                "iteration": 10,
                "psnr_full": value,
                "psnr_hole": None,
            }
            for image, value in published.items()
        ]
    }
    return Results(Path(), table, pd.DataFrame(), about)


def test_a_tolerance_is_the_prediction_interval_of_one_more_run() -> None:
    """By simulation: 95 in 100 new runs, and means of new runs, are within it."""
    random = np.random.RandomState(0)
    images = {"a": 30.0, "b": 25.0, "c": 33.0}
    hits = np.zeros(2)
    trials = 400
    for _ in range(trials):
        rows = [
            (name, seed, random.normal(mean, 0.3))
            for name, mean in images.items()
            for seed in range(3)
        ]
        published = {name: random.normal(mean, 0.3) for name, mean in images.items()}
        table = reproduction(_results(rows, published))
        assert table["image"].to_list() == ["a", "b", "c", "mean of 3"]
        inside = table["difference"].abs() <= table["tolerance"]
        hits += inside.iloc[0], inside.iloc[3]
    # Four standard errors of a share of 0.95.
    assert hits / trials == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / trials) ** 0.5)


def test_the_numbers_are_those_of_the_rows() -> None:
    rows = [("a", 0, 30.0), ("a", 1, 30.4), ("b", 0, 25.0), ("b", 1, 25.2)]
    table = reproduction(_results(rows, {"a": 30.9, "b": 25.0, "c": 1.0}))
    first, second, mean = table.to_dict("records")
    spread = ((0.08 + 0.02) / 2) ** 0.5  # variances pooled
    reach = stats.t.ppf(0.975, 2)
    assert (first["ours"], first["published"], first["n"]) == (pytest.approx(30.2), 30.9, 2)
    assert first["spread"] == pytest.approx(spread)
    assert first["tolerance"] == pytest.approx(reach * spread * 1.5**0.5)
    assert second["difference"] == pytest.approx(0.1)
    assert mean["image"] == "mean of 2 of 3"
    assert mean["tolerance"] == pytest.approx(reach * spread * (1.5 / 2) ** 0.5)
    text = reproduction_text(table)
    assert text["verdict"].to_list() == ["agrees", "agrees", "agrees"]
    assert text["ours (dB)"].to_list() == ["30.20", "25.10", "27.65"]


def test_without_two_seeds_it_cannot_be_told() -> None:
    table = reproduction(_results([("a", 0, 30.0)], {"a": 30.9}))
    assert reproduction_text(table)["verdict"].to_list() == ["cannot tell"]
    assert reproduction_text(table)["tolerance"].to_list() == ["-"]


def test_nothing_published_is_no_table() -> None:
    assert reproduction(_results([("a", 0, 30.0)], {})).empty
    elsewhere = reproduction(_results([("b", 0, 30.0)], {"a": 30.9}))
    assert elsewhere.empty


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
                "published": [{"method": "DIP", "iteration": 4, "psnr_full": 7.5}],
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
    settings = {"dataset": image_set, "images": None, "masks": ["own"], "seeds": [0, 1]}
    suite = suite_file(**settings, size=None, methods=[method, {"fill": "mean"}])
    out = tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    results = load_results(out / "tiny")
    summary = build(results.folder).summary.read_text()
    rows = results.rows.query("method == 'ours' and iteration == 4 and output == 'raw'")
    assert len(rows) == 2
    shown = f"| ours | DIP | 4 | full | a | 7.50 | {rows['psnr_full'].mean():.2f} |"
    assert shown in summary
    assert (results.folder / "report" / "tables" / "reproduction.tex").exists()

    # Published figures are of whole images.
    smaller = suite_file("smaller", **settings, size=36, methods=[method])
    assert command("benchmarks", "run", smaller, "--out", out).returncode == 0
    assert load_results(out / "smaller").about["published"] == []

    other = suite_file("other", **settings, size=None, methods=[{**method, "reproduces": "DPI"}])
    done = command("benchmarks", "run", other, "--out", out)
    assert done.returncode == 2
    assert "methods[0].reproduces: unknown method 'DPI'. Did you mean 'DIP'?" in done.stderr
