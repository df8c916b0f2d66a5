"""Published pictures as a method: scored as they are, beside what is computed here."""

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image as Pillow
from support.commands import Command
from support.needs import needs
from support.suites import jobs_of

import datasets.manifest
from benchmarks.jobs.methods import Published
from benchmarks.metrics import psnr
from benchmarks.runner.job_queue import is_quick
from benchmarks.scoring.results import load_results
from benchmarks.scoring.validate import PAPER, published_psnr
from dip.errors import InputError

Write = Callable[..., Path]
SIDES = {"first": (40, 48), "second": (36, 36), "bare": (36, 40)}
IMAGES = ["first", "second"]  # of which there are pictures
METHODS = [{"published": "Painter"}, {"published": "Écrivain", "label": "E."}, {"fill": "mean"}]


def _pixels(name: str, of: str) -> np.ndarray:
    seed = int(sha256(f"{name} {of}".encode()).hexdigest()[:8], 16)
    return np.random.default_rng(seed).integers(0, 256, (*SIDES[name], 3), dtype=np.uint8)


def _known(name: str) -> np.ndarray:
    mask = np.full(SIDES[name], 255, np.uint8)
    mask[10:20, 12:22] = 0
    return mask


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set `small` of images with their holes, and the pictures of two methods for two of them."""
    manifests, files = tmp_path / "manifests", tmp_path / "mirror" / "small"
    manifests.mkdir()
    files.mkdir(parents=True)

    def file(name: str, pixels: np.ndarray) -> dict[str, str]:
        Pillow.fromarray(pixels).save(files / name)
        return {"file": name, "sha256": sha256((files / name).read_bytes()).hexdigest()}

    images: dict[str, Any] = {}
    for name, (height, width) in SIDES.items():
        published = [
            {"method": method, **file(f"{name}-{method}.png", _pixels(name, method))}
            for method in ("Painter", "Écrivain")
        ]
        images[name] = {
            **{"height": height, "width": width, **file(f"{name}.png", _pixels(name, "truth"))},
            "mask": file(f"{name}-mask.png", _known(name)),
            "published": [*published, {"method": "Figures", "psnr_full": 30.0}],
        }
    del images["bare"]["published"]
    about = {"title": "small", "address": "https://example.org/", "licence": "none"}
    content = {**about, "citation": "this test", "images": images}
    (manifests / "small.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setattr(datasets.manifest, "FOLDER", manifests)
    monkeypatch.setenv("DIP_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return files


@pytest.fixture
def small(suite_file: Write, mirror: Path) -> Write:
    """Writes a suite of that set, with some keys replaced."""
    usual: dict[str, Any] = {
        **{"dataset": mirror.name, "images": IMAGES, "size": None, "masks": ["own"]},
        **{"methods": METHODS, "iterations": None},
    }
    return lambda **changes: suite_file("small", **{**usual, **changes})


def test_a_published_picture_is_scored_as_it_is(
    small: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = small(), tmp_path / "results"
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    results = load_results(out / "small")
    rows = results.rows.set_index(["method", "image"])
    assert {*rows.index} == {(m, i) for m in ("Painter", "E.", "mean") for i in IMAGES}
    for label, method in (("Painter", "Painter"), ("E.", "Écrivain")):
        for image in IMAGES:
            picture, truth = (_pixels(image, of).transpose(2, 0, 1) for of in (method, "truth"))
            scores = psnr.score(picture, truth, _known(image) == 255)
            row = rows.loc[(label, image)]
            assert row["psnr_full"] == pytest.approx(scores.full, abs=1e-6)
            assert row["psnr_hole"] == pytest.approx(scores.hole, abs=1e-6)
            assert row["psnr_composited"] == pytest.approx(scores.composited, abs=1e-6)
            assert (row["iteration"], row["output"], row["seed"]) == (0, "raw", 0)
            assert pd.isna(row["seconds"])
    assert rows.loc["mean"]["seconds"].notna().all()
    assert results.pictures == {"Painter", "E."}
    assert results.networks == set()


def test_nobody_says_that_it_was_made_here(small: Write, command: Command, tmp_path: Path) -> None:
    suite, out = small(), tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    results = load_results(out / "small")
    devices = [entry["device"] for entry in results.about["environments"]]
    (device,) = results.rows[results.rows["method"] == "mean"]["device"].unique()
    assert devices == [device]
    pictures = results.rows[results.rows["method"].isin(results.pictures)]
    assert set(pictures["device"]) == {"not run here"}

    done = command("reports", "report", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    summary = (out / "small" / "report" / "summary.md").read_text()
    assert (
        "Compared: 1 fill without a network and the published pictures of Painter and E., on 2"
        " images" in summary
    )
    assert re.search(rf"Median time of one job: mean [^,]+, on {re.escape(device)}\.", summary)


def test_only_published_pictures_are_something_to_report(
    small: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = small(methods=METHODS[:2]), tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    done = command("reports", "report", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    summary = (out / "small" / "report" / "summary.md").read_text()
    assert "Compared: the published pictures of Painter and E., on 2 images" in summary
    assert "Median time" not in summary


def test_what_was_scored_once_is_not_scored_again(
    small: Write, command: Command, tmp_path: Path
) -> None:
    suite, out = small(), tmp_path / "results"
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    assert "6 done before, 0 to run" in command("benchmarks", "run", suite, "--out", out).stdout
    verified = command("benchmarks", "verify", suite, "--out", out, "--workers", 0)
    assert verified.stdout.splitlines()[-1] == (
        "6 jobs run again: 6 byte-identical, 0 close, 0 wrong"
    )


def test_published_pictures_take_no_time_before_and_after(
    small: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"

    def dry(*options: str, **changes: Any) -> str:
        done = command("benchmarks", "run", small(**changes), "--out", out, "--dry-run", *options)
        assert done.returncode == 0, done.stderr
        assert not out.exists() or (out / "runs").is_dir()
        return done.stdout

    said = dry()
    assert "6 of 6 jobs to run" in said
    assert "time: cannot be told" in said  # of the fill
    assert "time:" not in dry(methods=METHODS[:1])
    assert command("benchmarks", "run", small(), "--out", out).returncode == 0
    assert "2 of 8 jobs to run" in dry(methods=[*METHODS, {"fill": "nearest"}])
    estimate = r"^time: about \d+ s, by earlier runs of the same methods$"
    assert re.search(estimate, dry("--fresh"), re.M)


def test_the_key_is_that_of_the_picture(small: Write) -> None:
    job, *_ = jobs_of(small())
    assert job.picture is not None
    assert job.method == Published("Painter")
    assert job.trajectory["method"] == {"published": "Painter"}
    assert job.trajectory["picture"] == job.picture.sha256
    pixels = job.picture.pixels.copy()
    pixels[0, 0, 0] ^= 1
    assert replace(job, picture=replace(job.picture, pixels=pixels)).key != job.key
    assert replace(job, method_label="theirs").key == job.key
    assert len({each.key for each in jobs_of(small())}) == 6


def test_a_published_picture_needs_no_worker(small: Write) -> None:
    assert [is_quick(job) for job in jobs_of(small(methods=METHODS[:1]))] == [True, True]


WHOLE = (
    "methods[0].published: published pictures are of whole images with the set's own holes; leave"
    " out crop, size and masks other than 'own'"
)
BAD: list[tuple[dict[str, Any], str]] = [
    ({"crop": 32}, WHOLE),
    ({"size": 32}, WHOLE),
    ({"masks": ["own", "half"]}, WHOLE),
    (
        {"methods": [{"fill": "mean"}, {"published": "Paintre"}]},
        "methods[1].published: 'first': unknown method 'Paintre'. Did you mean 'Painter'?",
    ),
    (  # of which figures are published, but no pictures
        {"methods": [{"published": "Figures"}]},
        "methods[0].published: 'first': unknown method 'Figures'. Known: Painter, Écrivain.",
    ),
    (
        {"methods": [{"published": "Painter", "output": "raw"}]},
        "methods[0]: a published picture has one output; leave out the key 'output'",
    ),
    (
        {"methods": [{"published": "Painter", "iterations": 5}]},
        "methods[0]: a published picture has no iterations; leave them out",
    ),
    (
        {"methods": [{"published": "Painter", "reproduces": "Painter"}]},
        "methods[0]: a published picture reproduces nothing; leave out the key 'reproduces'",
    ),
    (
        {"methods": [{"published": "Painter", "set": {"radius": 3}}]},
        "methods[0]: a published picture has nothing to set or sweep",
    ),
    (
        {"methods": [{"published": "Painter", "fill": "mean"}]},
        "methods[0]: a method is a fill, a preset or published; name one of them",
    ),
    (
        {"methods": [{"published": "Painter"}, {"published": "Painter"}]},
        "methods[1]: a second method named 'Painter'; give one a label",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_a_picture_that_does_not_fit_is_refused_in_one_line(
    changes: dict[str, Any], message: str, small: Write
) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$") as error:
        jobs_of(small(**changes))
    assert str(error.value).startswith(f"small.yaml: {message}")


def test_pictures_that_are_missing_or_of_another_size_are_refused(
    small: Write, mirror: Path
) -> None:
    file = mirror / "first-Painter.png"
    file.unlink()
    with pytest.raises(
        InputError, match=r"methods\[0\].published: small: first-Painter.png is not"
    ):
        jobs_of(small())
    Pillow.fromarray(_pixels("second", "other")).save(file)
    manifest = datasets.manifest.FOLDER / "small.yaml"
    content = yaml.safe_load(manifest.read_text())
    entry = content["images"]["first"]["published"][0]
    entry["sha256"] = sha256(file.read_bytes()).hexdigest()
    manifest.write_text(yaml.safe_dump(content))
    with pytest.raises(
        InputError, match=r"published: the picture of 'first' has another size or colours$"
    ):
        jobs_of(small())


def test_an_image_without_pictures_has_none(small: Write) -> None:
    with pytest.raises(InputError, match=r"\[0\].published: 'bare': no picture is published$"):
        jobs_of(small(images=[*IMAGES, "bare"]))


@needs(PAPER)
def test_the_papers_pictures_have_the_scores_of_the_validation(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    images = ["house", "peppers256"]
    methods = [{"published": "DIP"}, {"published": "Papyan et al."}]
    suite = suite_file(
        **{"dataset": PAPER, "images": images, "size": None, "masks": ["own"]},
        **{"methods": methods, "iterations": None},
    )
    done = command("benchmarks", "run", suite, "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    rows = load_results(tmp_path / "results" / "tiny").rows.set_index(["image", "method"])
    expected = published_psnr().set_index(["image", "method"]).loc[rows.index]
    for ours, theirs in (("full", "recomputed"), ("hole", "hole"), ("composited", "composited")):
        np.testing.assert_allclose(rows[f"psnr_{ours}"], expected[theirs], atol=1e-6)
