"""Presets load, say where they come from, and take settings."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import dip
from dip.options.inputs.noise import NoiseInputOptions
from dip.options.networks.unet import UNetOptions


@pytest.mark.parametrize("name", dip.preset_names())
def test_every_preset_states_source_and_cost(name: str) -> None:
    preset = dip.load_preset(name)
    assert preset.source
    assert preset.expect
    assert "to be measured" not in preset.expect.lower()
    assert preset.method.versions["trainer"] >= 1


def test_settings_reach_their_place() -> None:
    method = dip.load_preset("quick").method
    changed = dip.with_settings(method, {"learning_rate": 0.5, "architecture.padding": "zero"})
    assert changed.learning_rate == 0.5
    assert changed.architecture.name == "skip"
    assert changed.architecture.padding == "zero"
    assert method.learning_rate == 0.01


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rat": 1}, "unknown key 'learning_rat'. Did you mean 'learning_rate'?"),
        (
            {"architecture.chanels": [1]},
            "architecture: unknown key 'chanels'. Did you mean 'channels'?",
        ),
        (
            {"architecture.name": "skipp"},
            "architecture: unknown architecture 'skipp'. Did you mean 'skip'",
        ),
        ({"architecture.channels": [8]}, "architecture: skip_channels has 5 values for the 1"),
        ({"learning_rate": "fast"}, "learning_rate: .*number.*'fast'"),
        ({"learning_rate": -1}, "learning_rate: .*greater than 0.*-1"),
        ({"architecture.decoder_kernel": 4}, "decoder_kernel: a kernel size is a positive odd"),
        ({"learning_rate.x": 4}, "'learning_rate' has no settings inside"),
        ({"architectur.channels": [4]}, "unknown setting 'architectur'. Did you mean"),
        ({"batch": True}, "batch: .*integer"),
        ({"learning_rate": float("nan")}, "learning_rate: .*finite"),
        ({1: 2}, "a setting is named by text, as 'learning_rate', not by 1"),
        (
            {"architecture.name": "unet", "architecture.import": "a:B"},
            "either a name or an import, not both",
        ),
        ({"optimizer": "sgd"}, "optimizer: takes settings, as {name: value}, not 'sgd'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(dip.InputError, match=message):
        dip.with_settings(dip.load_preset("quick").method, settings)


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    method = dip.load_preset("quick").method
    own = {"input.channels": 4, "architecture.channels": [4] * 5, "learning_rate": 0.5}
    others = {
        "input.channels": np.int64(4),
        "architecture.channels": np.array([4] * 5),
        "learning_rate": torch.tensor(0.5),
    }
    assert dip.with_settings(method, others) == dip.with_settings(method, own)
    assert NoiseInputOptions(channels=np.uint8(4)) == NoiseInputOptions(channels=4)  # type: ignore[arg-type]


def test_settings_are_left_as_they_were_given() -> None:
    settings = {"architecture": {"name": "unet"}, "architecture.channels": [4, 4]}
    dip.with_settings(dip.load_preset("quick").method, settings)
    assert settings["architecture"] == {"name": "unet"}


def test_another_network_starts_from_its_own_defaults() -> None:
    method = dip.load_preset("quick").method
    settings = {"architecture.decoder_kernel": 7, "architecture.name": "unet"}
    changed = dip.with_settings(method, settings)
    assert changed.architecture == UNetOptions(decoder_kernel=7)


def test_an_unknown_preset_has_a_nearest_name() -> None:
    with pytest.raises(dip.InputError, match="'lemsky-unt'. Did you mean 'lemsky-unet'"):
        dip.load_preset("lemsky-unt")


def test_nothing_slow_is_imported_before_it_is_needed() -> None:
    modules = "dip.presets, dip.fills, benchmarks.jobs.suite, reports.commands.app"
    slow = ["torch", "torchvision", "lpips", "pandas", "matplotlib", "scipy", "skimage", "cv2"]
    code = f"import sys, {modules}; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
