"""Jobs: what a suite expands to, and how its methods, sweeps and holes are named."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image as Pillow
from support.suites import TINY

from benchmarks.jobs.job import expand
from benchmarks.jobs.suite import MethodEntry, load_suite
from dip.errors import InputError
from dip.options import RULES, Method, StepSchedule
from dip.options.networks.unet import UNetOptions
from dip.options.rules.held_out import HeldOutOptions

Write = Callable[..., Path]


def test_jobs_are_images_x_holes_x_methods_x_seeds(suite_file: Write) -> None:
    suite = load_suite(str(suite_file(images=["astronaut", "coffee"], seeds=[3, 4])))
    names = [job.name for job in expand(suite)]
    assert len(names) == 2 * 1 * 2 + 2 * 1 * 1  # a fill has no seeds
    assert "coffee/boxes[count=1,side=8]/quick/4" in names
    assert "coffee/boxes[count=1,side=8]/mean/0" in names


def test_a_method_may_run_on_some_images(suite_file: Write) -> None:
    both = ["astronaut", "coffee"]
    methods = [{"preset": "quick", "images": ["coffee"]}, {"fill": "mean"}]
    jobs = expand(load_suite(str(suite_file(images=both, methods=methods))))
    assert [(job.method_label, job.image.name) for job in jobs] == [
        ("quick", "coffee"),
        ("mean", "astronaut"),
        ("mean", "coffee"),
    ]


def test_a_label_names_a_hole_and_is_no_part_of_its_key(suite_file: Write) -> None:
    plain, named = (
        expand(load_suite(str(suite_file(masks=[mask]))))
        for mask in ({"bernoulli": {"missing": 0.5}}, {"bernoulli": {"missing": 0.5}, "label": "Ü"})
    )
    assert {job.mask_label for job in plain} == {"bernoulli[missing=0.5]"}
    assert {job.mask_label for job in named} == {"Ü"}
    assert [job.key for job in named] == [job.key for job in plain]


def test_a_sweep_is_named_by_its_values(suite_file: Write) -> None:
    sweep = {
        "learning_rate": [0.001, 0.01],
        "architecture.channels": [[8, 8, 8, 8, 8], [4, 4, 4, 4, 8]],
    }
    methods = [{"preset": "quick", "sweep": sweep}]
    jobs = expand(load_suite(str(suite_file(methods=methods, size=64))))
    assert [job.method_label for job in jobs] == [
        "quick[learning_rate=0.001,channels=8x5]",
        "quick[learning_rate=0.001,channels=4-4-4-4-8]",
        "quick[learning_rate=0.01,channels=8x5]",
        "quick[learning_rate=0.01,channels=4-4-4-4-8]",
    ]
    assert {job.preset for job in jobs} == {"quick"}


def test_a_swept_schedule_is_named_by_its_settings(suite_file: Write) -> None:
    sweep = {"schedule": [None, {"every": 100, "factor": 0.5}], "optimizer.name": ["adam", "sgd"]}
    methods = [{"preset": "quick", "sweep": sweep}]
    jobs = expand(load_suite(str(suite_file(methods=methods, size=64))))
    assert [job.method_label for job in jobs] == [
        "quick[schedule=none,optimizer=adam]",
        "quick[schedule=none,optimizer=sgd]",
        "quick[schedule=(every=100 factor=0.5),optimizer=adam]",
        "quick[schedule=(every=100 factor=0.5),optimizer=sgd]",
    ]
    assert len({job.key for job in jobs}) == 4


@pytest.mark.parametrize(
    ("settings", "sweep"),
    [
        ({"architecture": {"import": "a:B"}}, {"architecture.import": ["a:B", "c:D"]}),
        ({"architecture": {"name": "unet"}}, {"architecture.name": ["unet", "skip", "resnet"]}),
        ({"input": {"name": "learned"}}, {"input.name": ["learned", "noise", "fourier"]}),
        ({"optimizer": {"name": "sgd"}}, {"optimizer.name": ["adam", "sgd"]}),
        ({"architecture.channels": [8, 8]}, {"architecture": [{"name": "unet"}]}),
        ({"schedule.factor": 0.5}, {"schedule.every": [5, 6]}),
        ({}, {"input.channels": [3, 4], "architecture.channels": [[8] * 5, [9] * 5]}),
        ({}, {"backtracking": [None, {"every": 5}]}),
        (
            {"architecture": {"name": "unet", "channels": [8, 8]}},
            {"architecture.name": ["unet", "skip"]},
        ),
        ({"schedule.factor": 0.5}, {"schedule": [{"every": 5}, {"every": 6}]}),
        (
            {"architecture": {"import": "a:B", "options": {"name": "x", "n": 1}}},
            {"architecture.options.name": ["x", "y"]},
        ),
    ],
)
def test_what_a_label_says_is_in_the_method(
    settings: dict[str, Any], sweep: dict[str, Any]
) -> None:
    entry = MethodEntry.model_validate({"preset": "quick", "set": settings, "sweep": sweep})
    expanded = list(entry.expand())
    labels = [label for label, _ in expanded]
    assert len(set(labels)) == len(labels) == math.prod(len(values) for values in sweep.values())
    assert list(entry.expand()) == expanded  # nothing is used up
    for (_, method), values in zip(expanded, product(*sweep.values()), strict=True):
        assert isinstance(method, Method)
        whole = method.model_dump(by_alias=True, mode="json")
        for path, value in zip(sweep, values, strict=True):
            found: Any = whole
            for key in path.split("."):
                found = found[key]
            assert (found.items() >= value.items()) if isinstance(value, dict) else found == value


def test_the_whole_is_set_before_its_parts() -> None:
    def method(**changes: Any) -> Method:
        entry = MethodEntry.model_validate({"preset": "quick", **changes})
        ((_, method),) = entry.expand()
        assert isinstance(method, Method)
        return method

    swept = {"architecture": [{"name": "unet", "decoder_kernel": 3}]}
    unet = method(set={"architecture.channels": [8, 8]}, sweep=swept)
    assert unet.architecture == UNetOptions(channels=(8, 8), decoder_kernel=3)
    scheduled = method(set={"schedule.factor": 0.5}, sweep={"schedule.every": [5]})
    assert scheduled.schedule == StepSchedule(every=5, factor=0.5)


def test_a_folder_is_found_from_the_suite(suite_file: Write, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    (tmp_path / "photos").mkdir()
    Pillow.new("RGB", (50, 40), (9, 9, 9)).save(tmp_path / "photos" / "plain.png")
    path = suite_file(dataset={"folder": "photos"}, images=None)
    assert {job.image.name for job in expand(load_suite(str(path)))} == {"plain"}


def test_rules_follow_the_fits_they_can(suite_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """held-out where pixels are held out, with the settings that the suite gives it."""
    method = TINY["methods"][0]
    held = {**method, "label": "held", "set": {**method["set"], "held_out": 0.1}}

    def rules(**changes: Any) -> dict[str, list[str]]:
        jobs = expand(
            load_suite(str(suite_file(methods=[method, held, {"fill": "mean"}], **changes)))
        )
        return {job.method_label: [rule.label for rule in job.rules] for job in jobs}

    assert rules() == {
        "quick": ["es-wmv", "es-emv"],
        "held": ["es-wmv", "es-emv", "held-out"],
        "mean": [],
    }
    own = rules(rules=[{"held-out": {"patience": 5}}])
    assert own == {"quick": [], "held": ["held-out[patience=5]"], "mean": []}

    class OtherOptions(HeldOutOptions):
        name: Literal["other"] = "other"

    monkeypatch.setitem(RULES, "other", OtherOptions)
    beside = rules(rules=["other"])
    assert beside == {"quick": [], "held": ["other", "held-out"], "mean": []}


def test_a_mask_file_lies_beside_the_suite(suite_file: Write, tmp_path: Path) -> None:
    known = np.ones((36, 36), bool)
    known[3:9, 4:8] = False
    (tmp_path / "masks").mkdir()
    Pillow.fromarray(known).save(tmp_path / "masks" / "astronaut.png")
    suite = load_suite(str(suite_file(masks=[{"file": {"path": "masks"}}])))
    for job in expand(suite):
        assert job.mask_label == "file[path=masks]"
        assert np.array_equal(job.mask[0] == 1, known)
    suite = load_suite(str(suite_file(masks=[{"file": {"path": "mask.png"}}])))
    with pytest.raises(
        InputError, match=r"tiny.yaml: masks\[0\]: .*mask.png: there is no such file"
    ):
        expand(suite)
