"""Three averages of outputs, side by side in the same fits: which of them forgets soon enough.

`python tests/support/averages.py OUT.csv` fits two networks to four images with two holes at 64
pixels, 1000 iterations each (about 20 minutes of one core), and writes the hole PSNR of each
average. `reports/published/averages/averages.csv` is of 14 of these 16 fits.
"""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import dip
from benchmarks.metrics import METRICS
from datasets import load_images, make_mask, parse_mask
from dip.options import Method
from dip.options.outputs.averaged import AveragedOptions
from dip.presets import load_preset, with_settings

ITERATIONS = (50, 100, 200, 400, 1000)
HOLES = ({"bernoulli": {"missing": 0.5}}, {"boxes": {"count": 3, "side": 12}})
# By name the weight of the n-th output in the average.
WEIGHTS: dict[str, Callable[[int], float]] = {
    "raw": lambda _: 1.0,
    "decay 0.99": lambda n: 1.0 if n == 1 else 0.01,
    "bias-corrected": lambda n: 0.01 / (1 - 0.99**n),
    "decay that grows": lambda n: float(AveragedOptions().weight(torch.tensor(n))),
}


def methods() -> dict[str, Method]:
    """The methods by label."""
    channels = {"architecture.channels": [8, 16, 32, 64, 64, 64]}
    unet = with_settings(load_preset("lemsky-unet").method, channels)
    return {"quick": load_preset("quick").method, "unet, half the channels": unet}


class Averages:
    """Follows the outputs of a fit with every average."""

    def __init__(self) -> None:
        self.count = 0
        self.values: dict[str, Tensor] = {}

    def __call__(self, _: int, raw: Tensor, __: Tensor) -> None:
        self.count += 1
        for name, weight in WEIGHTS.items():
            before = self.values.get(name, torch.zeros_like(raw))
            self.values[name] = before.lerp(raw, weight(self.count))


def main(path: Path) -> None:
    """Fit, and write a row for each fit, iteration and average."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["method", "image", "mask", "iteration", "average", "psnr_hole"])
        for label, method in methods().items():
            for image in load_images(
                "scikit-image", ["astronaut", "camera", "chelsea", "coffee"], 64
            ):
                for hole in map(parse_mask, HOLES):
                    known = make_mask(hole, image)
                    averages = Averages()
                    truth = torch.from_numpy(image.pixels / np.float32(255))
                    fit = dip.Fit(
                        truth, torch.from_numpy(np.float32(known)), method, observe=averages
                    )
                    for step in fit.until(*ITERATIONS):
                        if step.iteration not in ITERATIONS:
                            continue
                        for name, value in averages.values.items():
                            shown = np.round(value.clamp(0, 1).numpy() * 255).astype(np.uint8)
                            _, psnr_hole, _ = METRICS["psnr"].score(
                                shown, image.pixels, known[0] == 1
                            )
                            place = [label, image.name, hole.label, step.iteration, name]
                            rows.writerow([*place, f"{psnr_hole:.4f}"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
