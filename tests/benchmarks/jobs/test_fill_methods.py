"""Fills as methods of a suite: which, with what options, under what name, by what key."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.commands import Command
from support.suites import TINY, jobs_of

from benchmarks.jobs.job import Job, expand
from benchmarks.jobs.suite import load_suite
from benchmarks.runner.job_queue import is_quick
from benchmarks.store.layout import file_name
from benchmarks.store.store import Store
from dip.errors import InputError
from dip.fills import FILLS, Fill
from dip.fills.opencv import RadiusOptions

Write = Callable[..., Path]


def _labels(suite: Path) -> list[str]:
    return [label for entry in load_suite(str(suite)).methods for label, _ in entry.expand()]


def test_fill_all_are_those_that_are_not_slow(suite_file: Write) -> None:
    labels = _labels(suite_file(methods=[{"fill": "all"}]))
    assert {"mean", "biharmonic", "total-variation"} <= {*labels}
    assert {*labels}.isdisjoint({"fsr", "exemplar", "patch-gaussian"})
    assert {*FILLS} - {*labels} == {name for name, fill in FILLS.items() if fill.slow}


def test_a_list_of_fills_has_them_in_its_order(suite_file: Write) -> None:
    methods = [{"fill": ["telea", "fsr"]}, {"fill": ["mean"], "label": "grey"}]
    jobs = jobs_of(suite_file(methods=methods))
    assert [(job.method_label, job.method) for job in jobs] == [
        ("telea", FILLS["telea"]),
        ("fsr", FILLS["fsr"]),
        ("grey", FILLS["mean"]),
    ]


def test_options_of_a_fill_are_set_and_swept_as_those_of_a_preset(suite_file: Write) -> None:
    methods = [
        {"fill": "telea", "set": {"radius": 7}},
        {"fill": ["navier-stokes"], "sweep": {"radius": [1, 3]}},
        {
            "fill": "plug-and-play",
            "label": "denoiser",
            "set": {"start": "biharmonic", "iterations": 9},
            "sweep": {"iterations": [5], "first_sigma": [10, 20]},
        },
    ]
    jobs = jobs_of(suite_file(methods=methods))
    options = {}
    for job in jobs:
        assert isinstance(job.method, Fill)
        options[job.method_label] = job.method.options.model_dump(exclude_defaults=True)
    assert options == {
        "telea": {"radius": 7},
        "navier-stokes[radius=1]": {"radius": 1},
        "navier-stokes[radius=3]": {},
        # What is swept stands above what is set.
        "denoiser[iterations=5,first_sigma=10]": {
            **{"start": "biharmonic", "iterations": 5, "first_sigma": 10.0}
        },
        "denoiser[iterations=5,first_sigma=20]": {"start": "biharmonic", "iterations": 5},
    }


SEVERAL = "methods[0]: set and sweep are of one preset or one fill; name one in each line"
BAD: list[tuple[list[dict[str, Any]], str]] = [
    (
        [{"fill": "telea", "set": {"radios": 3}}],
        "methods[0].set: unknown key 'radios'. Did you mean 'radius'?",
    ),
    (
        [{"fill": "mean"}, {"fill": "telea", "sweep": {"radios": [3]}}],
        "methods[1].sweep: unknown key 'radios'. Did you mean 'radius'?",
    ),
    (
        [{"fill": "telea", "set": {"radius": 0}}],
        "methods[0].set: radius: Input should be greater than or equal to 1, not 0",
    ),
    (
        [{"fill": "telea", "set": {"radius": 2.5}}],
        "methods[0].set: radius: Input should be a valid integer, not 2.5",
    ),
    (
        [{"fill": "telea", "sweep": {"radius": [3, 101]}}],
        "methods[0].sweep: radius: Input should be less than or equal to 100, not 101",
    ),
    (
        [{"fill": "telea", "sweep": {"radius": [2, 2]}}],
        "methods[0].sweep: 'telea[radius=2]' is named twice",
    ),
    (
        [{"fill": "fsr", "set": {"quality": "bset"}}],
        "methods[0].set: quality: Input should be 'fast' or 'best', not 'bset'",
    ),
    (
        [{"fill": "mean", "set": {"radius": 3, "quality": "fast"}}],
        "methods[0].set: the fill 'mean' has no options; leave out 'radius', 'quality'",
    ),
    (
        [{"fill": "mean", "sweep": {"radius": [3]}}],
        "methods[0].sweep: the fill 'mean' has no options; leave out 'radius'",
    ),
    ([{"fill": ["telea", "mean"], "set": {"radius": 3}}], SEVERAL),
    ([{"fill": "all", "sweep": {"radius": [3]}}], SEVERAL),
    (
        [{"fill": ["telea", "mean"], "label": "x"}],
        "methods[0]: several fills have their own names; leave the label out",
    ),
    (
        [{"fill": ["telea", "mean"], "output": "raw"}],
        "methods[0]: a fill has one output; leave out the key 'output'",
    ),
    ([{"fill": "telea", "iterations": 5}], "methods[0]: a fill has no iterations; leave them out"),
    (
        [{"fill": "telea", "reproduces": "DIP"}],
        "methods[0]: a fill reproduces nothing; leave out the key 'reproduces'",
    ),
    (
        [{"fill": ["mean", "telae"]}],
        "methods[0].fill: unknown fill 'telae'. Did you mean 'telea'?",
    ),
    ([{"fill": []}], "methods[0].fill: an empty list; name fills, or all"),
    (
        [{"fill": ["all", "fsr"]}],
        "methods[0].fill: 'all' is no part of a list; give it a line of its own",
    ),
    ([{"fill": ["mean", "mean"]}], "methods[0].fill: 'mean' is named twice"),
    ([{"fill": {"telea": {}}}], "methods[0].fill: unknown fill '{'telea': {}}'. Known: all, "),
    (
        [{"fill": "mean", "preset": "quick"}],
        "methods[0]: a method is a fill, a preset or published; name one of them",
    ),
    (
        [{"fill": "telea"}, {"fill": "telea", "sweep": {"radius": [3]}}],
        "methods[1]: 'telea' and 'telea[radius=3]' are the same method; leave one out",
    ),
    (
        [{"fill": "telea"}, {"fill": "telea", "set": {"radius": 3}}],
        "methods[1]: a second method named 'telea'; give one a label",
    ),
    (
        [{"fill": "all"}, {"fill": ["fsr", "mean"]}],
        "methods[1]: a second method named 'mean'; give one a label",
    ),
]


@pytest.mark.parametrize(("methods", "message"), BAD, ids=[message for _, message in BAD])
def test_a_mistake_in_a_fill_is_one_line_with_its_place(
    methods: list[dict[str, Any]], message: str, suite_file: Write
) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$") as error:
        load_suite(str(suite_file(methods=methods)))
    assert str(error.value).startswith(f"tiny.yaml: {message}")
    assert "and 1 more" not in str(error.value)


def test_only_networks_need_iterations(suite_file: Write, command: Command, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^tiny.yaml: missing 'iterations', which networks are fitted for; add \["
    ):
        load_suite(str(suite_file(iterations=None)))
    suite, out = suite_file(methods=[{"fill": "mean"}], iterations=None), tmp_path / "results"
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    done = command("reports", "report", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    summary = (out / "tiny" / "report" / "summary.md").read_text()
    assert "Median time of one job: mean " in summary
    assert "convergence" not in summary


def _job(suite_file: Write, **method: Any) -> Job:
    (job,) = expand(load_suite(str(suite_file(methods=[method]))))
    return job


def _key_before_options(job: Job, fill: str, version: int) -> str:
    """By hand, of what a run's key was when fills had no options."""
    trajectory = {
        "image": job.image.sha256,
        "mask": sha256(job.mask.tobytes()).hexdigest(),
        "method": {"fill": fill},
        "versions": {fill: version},
        "seed": 0,
        "engine": "plain",
        "precision": "float32",
        "deterministic": False,
    }
    text = json.dumps(trajectory, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ["mean", "telea", "navier-stokes", "fsr"])
def test_at_its_defaults_a_fill_has_the_key_it_had_before_there_were_options(
    name: str, suite_file: Write
) -> None:
    job = _job(suite_file, fill=name)
    assert job.key == _key_before_options(job, name, FILLS[name].version)


def test_an_option_is_part_of_the_key_unless_it_is_the_default(suite_file: Write) -> None:
    usual = _job(suite_file, fill="telea").key
    assert _job(suite_file, fill="telea", label="x", set={"radius": 3}).key == usual
    other = _job(suite_file, fill="telea", set={"radius": 5})
    assert other.trajectory["method"] == {"fill": "telea", "options": {"radius": 5}}
    assert len({usual, other.key, _job(suite_file, fill="telea", set={"radius": 4}).key}) == 3


def test_a_stored_run_says_which_options_it_was_made_with(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    methods = [{"fill": "telea", "sweep": {"radius": [1, 3]}}]
    suite = suite_file(methods=methods, size=48, masks=["half"])
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    one, three = jobs_of(suite)
    records = [Store(out / "runs").read(job.key) for job in (one, three)]
    methods_stored = [record.trajectory["method"] for record in records if record]
    assert methods_stored == [{"fill": "telea", "options": {"radius": 1}}, {"fill": "telea"}]
    pictures = [(out / "runs" / job.key / file_name("raw", 0)).read_bytes() for job in (one, three)]
    assert pictures[0] != pictures[1]
    again = command("benchmarks", "run", suite, "--out", out)
    assert "2 done before, 0 to run" in again.stdout


def test_only_a_fill_at_its_defaults_is_known_to_be_quick(suite_file: Write) -> None:
    job = _job(suite_file, fill="telea")
    assert is_quick(job)
    assert is_quick(_job(suite_file, fill="telea", label="x", set={"radius": 3}))
    assert not is_quick(_job(suite_file, fill="telea", set={"radius": 50}))
    assert not is_quick(_job(suite_file, fill="fsr"))
    small = replace(FILLS["telea"], quick_pixels=10)
    assert not is_quick(replace(job, method=small))
    assert not is_quick(_job(suite_file, **TINY["methods"][0]))


def test_a_fill_with_other_options_computes_otherwise() -> None:
    fill = FILLS["telea"].with_settings({"radius": 9})
    assert fill.options == RadiusOptions(radius=9)
    assert FILLS["telea"].options == RadiusOptions()  # which stays as it is
    assert fill.with_settings({}) == fill
    assert fill.canonical == {"fill": "telea", "options": {"radius": 9}}
