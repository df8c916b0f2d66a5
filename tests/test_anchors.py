"""Published numbers recomputed: the paper's table from its authors' pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Command, needs_mirror
from skimage.metrics import peak_signal_noise_ratio

from benchmarks import anchors, weights
from datasets import load_manifest
from datasets.images import read_image


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return anchors.published_psnr()


@needs_mirror
def test_the_means_are_those_that_were_measured(table: pd.DataFrame) -> None:
    means = table.groupby("method")["recomputed"].mean()
    assert means["DIP"] == pytest.approx(33.438, abs=0.001)
    assert means["Papyan et al."] == pytest.approx(31.162, abs=0.001)


@needs_mirror
def test_each_psnr_is_scikit_images(table: pd.DataFrame) -> None:
    manifest = load_manifest("inpainting-11")
    for row in table.itertuples():
        entry = manifest.images[str(row.image)]
        (file,) = [each.file for each in entry.published if each.method == row.method]
        truth, restored = (
            read_image(manifest.path(str(name)), "x").pixels for name in (entry.file, file)
        )
        assert row.recomputed == pytest.approx(peak_signal_noise_ratio(truth, restored), abs=1e-9)


@needs_mirror
def test_truncation_is_seen_in_the_pictures(table: pd.DataFrame) -> None:
    """By itself it darkens by half a level; no difference is left unexplained by 0.06 dB."""
    assert table["bias"].mean() == pytest.approx(-0.5, abs=0.02)
    unexplained = (table["difference"] - table["truncation"]).abs()
    assert unexplained.max() < 0.06
    assert unexplained.mean() < 0.5 * table["difference"].abs().mean()


def test_what_truncation_takes_off_is_the_formula() -> None:
    """By simulation: a restoration with an error of known size, saved without its fractions."""
    random = np.random.RandomState(0)
    truth = random.randint(20, 236, 1_000_000)
    restored = truth + random.normal(0, 3, truth.size)
    exact, saved = ((error**2).mean() for error in (restored - truth, np.floor(restored) - truth))
    assert saved - exact == pytest.approx(anchors.CUT_OFF, abs=0.02)


@needs_mirror
@pytest.mark.skipif(weights.missing() is not None, reason=str(weights.missing()))
def test_the_command(command: Command, tmp_path: Path) -> None:
    done = command("benchmarks", "anchors", "--out", tmp_path)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("| ")]) == 2 + 11 + 1
    assert "| barbara | 32.22 | 32.18 | -0.04 | -0.04 | 28.14 | 28.13 |" in done.stdout
    assert "| mean | 33.48 | 33.44 |" in done.stdout
    assert "PSNR of biharmonic fill, known pixels put back: 31.93 dB" in done.stdout
    assert "SSIM of the 11 DIP pictures: mean 0.9350" in done.stdout
    assert len([line for line in lines if line.startswith("ok ")]) == 8
    kept = pd.read_csv(tmp_path / "anchors" / "anchors.csv")
    assert len(kept) == 22


@needs_mirror
def test_a_wrong_scorer_is_found(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    """One that puts the known pixels back before it scores: exit code 1."""

    def composited(restored: object, truth: object, known: object) -> object:
        scores = psnr(restored, truth, known)
        return scores._replace(full=scores.composited)

    psnr = anchors.psnr
    monkeypatch.setattr(anchors, "psnr", composited)
    monkeypatch.setattr(anchors, "write", lambda *_: "nowhere")
    done = command("benchmarks", "anchors")
    assert done.returncode == 1
    assert "WRONG   PSNR: each of the 22 is within" in done.stdout


def test_missing_images_are_one_line(
    monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path
) -> None:
    monkeypatch.delenv("DIP_MIRROR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = command("benchmarks", "anchors")
    assert done.returncode == 2
    assert "`python -m datasets fetch inpainting-11` gets it" in done.stderr
    assert done.stderr.count("\n") == 1


@needs_mirror
def test_missing_weights_are_no_success(
    monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = command("benchmarks", "anchors", "--out", tmp_path)
    assert done.returncode == 2
    assert "MISSING LPIPS: not looked at: the LPIPS weights are missing" in done.stdout
