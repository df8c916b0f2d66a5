"""Results as a suite would leave them, drawn from effects that are known: nothing is fitted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from benchmarks.scoring.results import COLUMNS, Results


@dataclass(frozen=True)
class Effects:
    """Standard deviations in dB: of images, of their holes, of a method's liking for an image, for
    a hole of an image, and between seeds.
    """

    image: float = 4.0
    hole: float = 1.5
    method_image: float = 1.0
    method_hole: float = 0.8
    seed: float = 0.5


def synthetic(
    images: int,
    networks: dict[str, float],
    fills: dict[str, float],
    *,
    holes: int = 2,
    seeds: int = 3,
    iterations: tuple[int, ...] = (100, 200),
    own_iterations: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    rules: tuple[str, ...] = ("stop:es-wmv",),
    random: np.random.Generator | None = None,
    effects: Effects = Effects(),
) -> Results:
    """networks, fills: their hole PSNR in dB, over all images there could be.

    own_iterations: of networks that have others.
    """
    draw = random or np.random.default_rng(0)
    names = [f"image-{index:03}" for index in range(images)]
    masks = [f"hole-{index}" for index in range(holes)]
    of_image = dict(zip(names, draw.normal(0, effects.image, images), strict=True))
    of_hole = {each: draw.normal(0, effects.hole) for each in product(names, masks)}
    rows, jobs = [], []
    for method, mean in (networks | fills).items():
        is_network = method in networks
        asked = own_iterations.get(method, iterations)
        likings = dict(zip(names, draw.normal(0, effects.method_image, images), strict=True))
        for image, mask in product(names, masks):
            level = 20 + mean + of_image[image] + of_hole[image, mask] + likings[image]
            level += draw.normal(0, effects.method_hole)
            for seed in range(seeds if is_network else 1):
                key = f"{len(jobs):064x}"
                own = level + (draw.normal(0, effects.seed) if is_network else 0)
                jobs.append((key, image, mask, method, "quick" if is_network else "", seed))
                about = {
                    "key": key,
                    "image": image,
                    "height": 64,
                    "width": 48,
                    "mask": mask,
                    "hole_fraction": 0.05 + 0.3 * masks.index(mask),
                    "method": method,
                    "seed": seed,
                    "status": "done",
                    "device": "a processor",
                    "precision": "float32",
                    "engine": "fast",
                    "threads": 1,
                    "workers": 2,
                    "git_revision": "0123456789ab",
                    "oracle_psnr_hole": own + 1 if is_network else np.nan,
                    "oracle_iteration": asked[-1] if is_network else np.nan,
                    "oracle_output": "raw" if is_network else np.nan,
                }
                about |= _network(draw) if is_network else {}
                steps = [(0, "raw")]
                if is_network:
                    steps = list(product(asked, ("raw", "averaged")))
                    steps += [(asked[-1] - 1, rule) for rule in rules]
                for iteration, output in steps:
                    late = -0.5 * (1 - iteration / asked[-1]) if iteration else 0
                    psnr = own + late + (0.2 if output == "averaged" else 0)
                    rows.append(
                        about
                        | {
                            "iteration": iteration,
                            "output": output,
                            "psnr_hole": psnr,
                            "ssim_hole": 1 - 10 ** (-psnr / 15),
                            "lpips_composited": 10 ** (-psnr / 15),
                            "seconds": iteration / 50,
                        }
                    )
    planned = pd.DataFrame(jobs, columns=["key", "image", "mask", "method", "preset", "seed"])
    about_suite = {
        "title": "Synthetic",
        "metrics": ["psnr", "ssim", "lpips"],
        "iterations": list(iterations),
        "method_iterations": {name: list(own) for name, own in own_iterations.items()},
        "published": [],
        "notices": [],
        "environments": [{"device": "a processor", "versions": {"torch": "2.11"}}],
    }
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    return Results(Path(), table, planned.assign(status="done", reason=""), about_suite)


def _network(draw: np.random.Generator) -> dict[str, object]:
    milliseconds = draw.uniform(18, 22)
    return {
        "architecture": "skip",
        "preset": "quick",
        "parameters": 123456,
        "milliseconds_median": milliseconds,
        "milliseconds_p10": 0.9 * milliseconds,
        "milliseconds_p90": 1.1 * milliseconds,
        "peak_memory_mib": 800.0,
        "loss": 0.001,
    }


def on_one_image(results: Results, method: str, image: str) -> Results:
    """The same, as if the suite ran that method on that image only."""

    def kept(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[(frame["method"] != method) | (frame["image"] == image)]

    return replace(results, rows=kept(results.rows), jobs=kept(results.jobs))


def filled_exactly(results: Results, method: str, *images: str) -> Results:
    """The same, with holes that the method fills without any error."""
    rows = results.rows.copy()
    is_exact = (rows["method"] == method) & rows["image"].isin(images or rows["image"].unique())
    rows.loc[is_exact, ["psnr_hole", "oracle_psnr_hole"]] = np.inf
    return replace(results, rows=rows)
