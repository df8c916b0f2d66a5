"""Tables of the networks' size and of the time that fits take."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from support.synthetic import synthetic
from support.tables import image_means

from benchmarks.scoring.results import Results
from reports.tables import networks
from reports.tables.timing import timing

FILLS = {"mean": -5.0, "biharmonic": 1.0}


@pytest.fixture
def results() -> Results:
    return synthetic(8, {"a": 1.5, "b": 0.5}, FILLS)


def test_networks_have_their_size_and_time(results: Results) -> None:
    table = networks.architectures(results, "all holes")
    assert table is not None
    lines = table.numbers.set_index("method")
    assert lines["raw_mean"]["a"] == pytest.approx(image_means(results, "a").mean())
    assert list(lines["parameters"]) == [123456] * 2
    assert (lines["raw_n"]["a"], lines["raw_N"]["a"]) == (48, 48)


def test_seconds_until_the_reference_is_reached() -> None:
    """Of the first checkpoint at which the raw output is as good, where there is one."""
    results = synthetic(8, {"a": 2.0, "b": -2.0}, FILLS)
    fill = results.rows.query("method == 'biharmonic'").set_index(["image", "mask"])["psnr_hole"]
    seconds = []
    for _, fit in results.rows.query("method == 'a' and output == 'raw'").groupby("key"):
        target = fill[fit["image"].iloc[0], fit["mask"].iloc[0]]
        reached = fit[fit["psnr_hole"] >= target].sort_values("iteration")
        seconds.append(reached["seconds"].iloc[0] if len(reached) else np.inf)
    (table,) = timing(results, "biharmonic")
    line, poor = table.numbers.to_dict("records")
    get_there = int(np.isfinite(seconds).sum())
    assert 24 < get_there < 48
    assert (line["reached"], line["fits"]) == (get_there, 48)
    assert line["seconds_to_reference"] == pytest.approx(np.median(seconds))
    assert poor["reached"] < 24
    assert pd.isna(poor["seconds_to_reference"])  # fewer than half of them do
    assert list(timing(results, "none")[0].numbers["reached"]) == [0, 0]


def test_numbers_of_workers_are_rows_of_their_own(results: Results) -> None:
    rows = results.rows.copy()
    rows.loc[rows["seed"] == 1, "workers"] = 5
    (table,) = timing(dataclasses.replace(results, rows=rows), "biharmonic")
    assert list(table.numbers["fits_beside"]) == [1, 4, 1, 4]


def test_devices_are_never_in_one_table(results: Results) -> None:
    rows = results.rows.copy()
    rows.loc[rows["seed"] == 1, "device"] = "a GPU"
    described = [*results.about["environments"], {"device": "a GPU", "versions": {"torch": "9"}}]
    mixed = dataclasses.replace(
        results, rows=rows, about=results.about | {"environments": described}
    )
    one, two = timing(mixed, "biharmonic")
    assert (one.name, two.name) == ("timing-a-processor", "timing-a-gpu")
    assert list(one.numbers["fits"]) == [32] * 2
    assert list(two.numbers["fits"]) == [16] * 2
    assert two.about.startswith("torch 9. ")
