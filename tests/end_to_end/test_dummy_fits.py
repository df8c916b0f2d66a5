"""The measurement of what a suite costs beside its fits goes through all that a suite does."""

from pathlib import Path

import pandas as pd
import pytest
from support import dummy_fits
from support.commands import signal_handlers_restored


def test_fits_that_answer_at_once_are_run_scored_and_found_again(tmp_path: Path) -> None:
    dummy_fits.write_suite(tmp_path, jobs=50)
    steps = dummy_fits.steps_of(tmp_path, [dummy_fits.AT_ONCE], has_report=False)
    with signal_handlers_restored():
        found = {step: dummy_fits.take_a_step(words) for step, words in steps.items()}
    assert all(taken["seconds"] > 0 for taken in found.values())
    results = pd.read_csv(tmp_path / "results" / "dummy" / "results.csv")
    assert len(results) == 50 * 2 * 2
    assert not results["psnr_hole"].isna().any()
    assert set(results["status"]) == {"done"}


def test_growth_is_what_each_further_job_takes() -> None:
    assert dummy_fits.for_each_more([10, 20, 40], [1.0, 2.0, 6.0]) == pytest.approx([100, 200])
