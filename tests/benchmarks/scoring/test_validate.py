"""Published numbers recomputed: the paper's table from its authors' pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skimage.metrics import peak_signal_noise_ratio
from support.commands import Command
from support.needs import needs, needs_lpips

from benchmarks.metrics import lpips_weights, psnr
from benchmarks.scoring import validate
from datasets import load_manifest
from datasets.images import read_image


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return validate.published_psnr()


@needs("inpainting-11", "lpips-check")
def test_each_psnr_is_scikit_images(table: pd.DataFrame) -> None:
    manifest = load_manifest("inpainting-11")
    for row in table.itertuples():
        entry = manifest.images[str(row.image)]
        (file,) = [each.file for each in entry.published if each.method == row.method]
        truth, restored = (
            read_image(manifest.path(str(name)), "x").pixels for name in (entry.file, file)
        )
        assert row.recomputed == pytest.approx(peak_signal_noise_ratio(truth, restored), abs=1e-9)


@needs("inpainting-11", "lpips-check")
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
    assert saved - exact == pytest.approx(validate.CUT_OFF, abs=0.02)


@needs("inpainting-11", "lpips-check")
@needs_lpips
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
    kept = tmp_path / "anchors"
    assert len(pd.read_csv(kept / "anchors.csv")) == 22
    assert done.stdout.startswith((kept / "anchors.md").read_text())


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seconds that eleven biharmonic fills take."""
    monkeypatch.setattr(validate, "_biharmonic", lambda _: 31.93)


@needs("inpainting-11", "lpips-check")
@needs_lpips
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_verdict_can_fail(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, sign: int
) -> None:
    """When what is expected moves by one and a half tolerances, all else being well."""

    def failing_when(**changes: object) -> list[str]:
        with monkeypatch.context() as patch:
            patch.setattr(validate, "_biharmonic", lambda _: 31.93)
            for name, value in changes.items():
                patch.setattr(validate, name, value)
            return [found.text for found in validate.findings(table) if not found.holds]

    def only(found: list[str], beginning: str) -> bool:
        return len(found) == 1 and found[0].startswith(beginning)

    assert failing_when() == []
    # 39.00 of house: the one value that is farthest from its two decimals, on neither side.
    dip = list(validate.RECOMPUTED["DIP"])
    dip[2] += sign * 1.5 * validate.RECOMPUTED_TOLERANCE
    found = failing_when(RECOMPUTED={**validate.RECOMPUTED, "DIP": tuple(dip)})
    assert only(found, "PSNR: each of the 22")
    for what, value in validate.MEASURED.items():
        other = value + sign * 1.5 * validate.MEASURED_TOLERANCE
        found = failing_when(MEASURED={**validate.MEASURED, what: other})
        assert only(found, f"PSNR of {what}")
    for name, value in validate.LPIPS.items():
        other = value + sign * 1.5 * validate.LPIPS_TOLERANCE
        found = failing_when(LPIPS={**validate.LPIPS, name: other})
        assert only(found, f"LPIPS of ex_ref and {name}")
    by_wang, apart = validate._ssim_of_wang_et_al, sign * 1.5 * validate.SSIM_TOLERANCE
    found = failing_when(_ssim_of_wang_et_al=lambda *each: by_wang(*each) + apart)
    assert only(found, "SSIM of the 11")


@needs("inpainting-11", "lpips-check")
@pytest.mark.usefixtures("fast")
def test_a_difference_that_truncation_does_not_explain_is_found(table: pd.DataFrame) -> None:
    other = table.copy()
    other.loc[3, "difference"] += 0.09
    texts = [finding.text for finding in validate.findings(other) if finding.holds is False]
    assert len(texts) == 1
    assert texts[0].startswith("PSNR: the largest part of a difference")


@needs("inpainting-11")
@pytest.mark.usefixtures("fast")
def test_a_wrong_scorer_is_found(
    monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path
) -> None:
    """One that puts the known pixels back before it scores: exit code 1."""

    def composited(restored: Any, truth: Any, known: Any) -> Any:
        scores = score(restored, truth, known)
        return scores._replace(full=scores.composited)

    score = psnr.score
    monkeypatch.setattr(psnr, "score", composited)
    done = command("benchmarks", "anchors", "--out", tmp_path)
    assert done.returncode == 1
    assert "WRONG   PSNR: each of the 22 is within" in done.stdout


def test_missing_images_are_one_line(
    monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path
) -> None:
    monkeypatch.delenv("DIP_MIRROR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = command("benchmarks", "anchors")
    assert done.returncode == 2
    assert "`dip-bench data fetch inpainting-11` gets it" in done.stderr
    assert done.stderr.count("\n") == 1


@needs("inpainting-11", "lpips-check")
@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("what", ["weights", "images"])
def test_what_is_missing_for_lpips_is_no_success(
    monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path, what: str
) -> None:
    if what == "weights":
        monkeypatch.setattr(lpips_weights, "cache_file", lambda: tmp_path / "none.npz")
        message = "the LPIPS weights are missing"
    else:
        monkeypatch.setattr(validate, "LPIPS_IMAGES", "set-of-nobody")
        message = "unknown dataset 'set-of-nobody'"
    done = command("benchmarks", "anchors", "--out", tmp_path)
    assert done.returncode == 2
    assert f"MISSING LPIPS: not looked at: {message}" in done.stdout
    assert (tmp_path / "anchors" / "anchors.csv").exists()
