"""Suites that take a moment, and what comes of them."""

from pathlib import Path
from typing import Any

from benchmarks.jobs.job import Job, expand
from benchmarks.jobs.suite import load_suite

# What makes the preset's network small; every family of networks is there.
NARROW: dict[str, dict[str, Any]] = {
    "lemsky-unet": {"architecture.channels": [4, 8]},
    "quick": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
    "dip-random50": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
    "dip-library-unet": {"architecture.channels": [4, 8]},
    "dip-library-resnet": {"architecture.channels": 8},
    "deep-decoder": {"architecture.channels": [16, 16]},
    "conv-decoder": {"architecture.channels": 8},
    "pip": {"architecture.channels": [8, 8], "architecture.skip_channels": [4, 4]},
    "siren": {"architecture.channels": 16},
}
TINY: dict[str, Any] = {
    "dataset": "scikit-image",
    "images": ["astronaut"],
    "size": 36,
    "masks": [{"boxes": {"count": 1, "side": 8}}],
    "methods": [
        {
            "preset": "quick",
            "set": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
        },
        {"fill": "mean"},
    ],
    "iterations": [2, 4],
    "metrics": ["psnr", "ssim"],
}

BASELINE_SEEDS = 10  # of the gate's fixture `baselines`; its suite has three

# A method that asks for more memory than any machine has: it breaks at run time only.
HUGE: dict[str, Any] = {
    "preset": "conv-decoder",
    "label": "huge",
    "set": {"architecture.input_side": 10**4, "input.channels": 10**4},
}


def jobs_of(suite: Path) -> list[Job]:
    """The jobs of a suite file."""
    return expand(load_suite(str(suite)))


def pictures_in(out: Path) -> dict[str, bytes]:
    """Every picture of every run below a results folder, by its place."""
    return {str(path.relative_to(out)): path.read_bytes() for path in out.glob("runs/*/*.png")}
