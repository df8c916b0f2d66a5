"""Published numbers recomputed by our own scorer from the pictures that their authors released.

The pictures of the Deep Image Prior paper's table (half of the pixels missing, 11 grey images, PSNR
over the whole image) are darker than the truth by half an 8-bit level, as when fractions are cut
off on saving, so the table must have been computed before. That adds a third of a squared level to
the error, which lowers a PSNR, the more the higher it is. What is left of each difference after
that has to be small.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics import METRICS, lpips, psnr, ssim
from benchmarks.store.pictures import to_8bit
from benchmarks.system.files import write_atomically
from benchmarks.system.refill import refilled
from benchmarks.system.text import markdown_table
from datasets import DatasetError, Image, load_images, load_manifest
from datasets.images import read_image
from dip.fills import FILLS

if TYPE_CHECKING:
    import pandas as pd

PAPER = "inpainting-11"
LPIPS_IMAGES = "lpips-check"
TABLE, PAGE = "anchors.csv", "anchors.md"
CUT_OFF = 1 / 3  # mean square, in 8-bit levels, of a fraction in [0, 1) that is cut off

# dB, in the paper's order: measured from the same pictures before this scorer was written.
RECOMPUTED = {
    "DIP": (32.18, 33.04, 39.00, 36.08, 33.06, 29.80, 32.48, 32.81, 32.73, 32.17, 34.49),
    "Papyan et al.": (28.13, 31.42, 34.52, 34.97, 31.11, 27.89, 31.15, 31.32, 32.32, 31.89, 28.06),
}
RECOMPUTED_TOLERANCE = 0.01
UNEXPLAINED_TOLERANCE = 0.06  # peppers256 0.052; published figures are rounded to 0.005
# Means over images, likewise; the solver of the fill may move the last digit.
MEASURED = {
    "DIP, known pixels put back": 33.72,
    "DIP, in the hole alone": 30.70,
    "biharmonic fill, known pixels put back": 31.93,
}
MEASURED_TOLERANCE = 0.02
SSIM_TOLERANCE = 1e-6
# Measured with the package lpips 0.1.4 and torchvision's weights.
LPIPS, LPIPS_TOLERANCE = {"ex_p0": 0.7219, "ex_p1": 0.1376}, 0.0005


@dataclass(frozen=True)
class Finding:
    """One thing looked at; holds: None where it could not be."""

    text: str
    holds: bool | None


def published_psnr() -> "pd.DataFrame":
    """One row per image and published method, in dB.

    difference: recomputed less published; truncation: what cutting the fractions off explains of
    it; bias: the pictures' mean error in 8-bit levels. Raises DatasetError if the set is not here.
    """
    import pandas as pd

    manifest = load_manifest(PAPER)
    rows = []
    for image in load_images(PAPER):
        for published in image.published:
            if published.psnr_full is None or published.file is None:
                continue
            restored = read_image(manifest.path(published.file), image.name).pixels
            scores = psnr.score(restored, image.pixels, _known(image))
            error = 10 ** (-published.psnr_full / 10)
            expected = -10 * math.log10(error + CUT_OFF / 255**2)
            rows.append(
                {
                    "image": image.name,
                    "method": published.method,
                    "published": published.psnr_full,
                    "recomputed": scores.full,
                    "difference": scores.full - published.psnr_full,
                    "truncation": expected - published.psnr_full,
                    "bias": float(np.mean(restored.astype(np.float64) - image.pixels)),
                    "hole": scores.hole,
                    "composited": scores.composited,
                }
            )
    return pd.DataFrame(rows)


def to_markdown(table: "pd.DataFrame") -> str:
    """The table as the paper has it, image by image and the mean; ours beside it."""
    import pandas as pd

    methods = [str(method) for method in table["method"].unique()]
    means = table.groupby("method", as_index=False).mean(numeric_only=True).assign(image="mean")
    whole = pd.concat([table, means]).to_dict("records")
    rows = {(row["image"], row["method"]): row for row in whole}
    heads = ["image"]
    for method in methods:
        heads += [
            f"{method}, published (dB)",
            "recomputed",
            "difference",
            "expected from truncation",
        ]
    lines = []
    for image in [*table["image"].unique(), "mean"]:
        line = [str(image)]
        for method in methods:
            row = rows[image, method]
            line += [f"{row['published']:.2f}", f"{row['recomputed']:.2f}"]
            line += [_signed(row["difference"]), _signed(row["truncation"])]
        lines.append(line)
    return markdown_table(heads, lines)


def _signed(decibels: float) -> str:
    return f"{decibels:+.2f}".replace("-0.00", "0.00").replace("+0.00", "0.00")


def findings(table: "pd.DataFrame") -> Iterator[Finding]:
    """What the anchors say of our scorer, one after the other."""
    unexplained = (table["difference"] - table["truncation"]).abs()
    worst = table["image"].to_list()[int(unexplained.argmax())]
    expected = [value for values in zip(*RECOMPUTED.values(), strict=True) for value in values]
    apart = (table["recomputed"] - expected).abs().max()
    yield Finding(
        f"PSNR: each of the {len(table)} is within {apart:.3f} dB of what was measured before",
        bool(apart <= RECOMPUTED_TOLERANCE),
    )
    yield Finding(
        f"PSNR: the largest part of a difference that truncation does not explain is"
        f" {unexplained.max():.2f} dB ({worst}); the pictures are"
        f" {-table['bias'].mean():.2f} levels darker than the truth",
        bool((unexplained <= UNEXPLAINED_TOLERANCE).all()),
    )
    images = load_images(PAPER)
    means = table[table["method"] == "DIP"][["composited", "hole"]].mean()
    measured = {
        "DIP, known pixels put back": means["composited"],
        "DIP, in the hole alone": means["hole"],
        "biharmonic fill, known pixels put back": np.mean([_biharmonic(image) for image in images]),
    }
    for what, value in measured.items():
        yield Finding(
            f"PSNR of {what}: {value:.2f} dB, measured before {MEASURED[what]:.2f}",
            bool(abs(value - MEASURED[what]) <= MEASURED_TOLERANCE),
        )
    yield _ssim(images)
    yield from _lpips()


def write(table: "pd.DataFrame", folder: Path) -> Path:
    """Keep the table, with all its digits as CSV and as it is shown; returns the latter."""
    with refilled(folder, "anchors", (TABLE, PAGE), is_ours=True) as place:
        write_atomically(place / TABLE, table.to_csv(index=False))
        write_atomically(place / PAGE, to_markdown(table))
    return folder / PAGE


def _known(image: Image) -> NDArray[np.bool_]:
    assert image.own_mask is not None  # each image of the paper has one
    return image.own_mask


def _biharmonic(image: Image) -> float:
    known = _known(image)
    masked = np.where(known, image.pixels, 0) / 255
    filled = to_8bit(FILLS["biharmonic"].restore(masked, known[None]))
    return psnr.score(filled, image.pixels, known).composited


def _ssim(images: list[Image]) -> Finding:
    """Ours, which is scikit-image's, beside the formula of Wang et al. over OpenCV's Gaussian."""
    manifest = load_manifest(PAPER)
    ours, others = [], []
    for image in images:
        (file,) = [each.file for each in image.published if each.method == "DIP"]
        assert file is not None
        restored = read_image(manifest.path(file), image.name).pixels
        ours.append(ssim.score(restored, image.pixels, _known(image)).full)
        others.append(_ssim_of_wang_et_al(restored[0], image.pixels[0]))
    apart = max(abs(a - b) for a, b in zip(ours, others, strict=True))
    return Finding(
        f"SSIM of the {len(images)} DIP pictures: mean {np.mean(ours):.4f}; two implementations"
        f" differ by at most {apart:.1e}",
        apart <= SSIM_TOLERANCE,
    )


def _ssim_of_wang_et_al(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004, section III: 11x11 window, sigma 1.5."""
    import cv2

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), dtype=np.float64)[5:-5, 5:-5]

    x, y = first / 255, second / 255
    mean_x, mean_y = mean(x), mean(y)
    covariance = mean(x * y) - mean_x * mean_y
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float(np.mean(similar / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))))


def _lpips() -> Iterator[Finding]:
    try:
        pictures = {image.name: image.pixels for image in load_images(LPIPS_IMAGES)}
    except DatasetError as error:
        yield Finding(f"LPIPS: not looked at: {error}", None)
        return
    reference = pictures["ex_ref"]
    if reason := METRICS["lpips"].unavailable(*reference.shape[1:]):
        yield Finding(f"LPIPS: not looked at: {reason}", None)
        return
    for name, golden in LPIPS.items():
        score = lpips.score(
            pictures[name], reference, np.zeros(reference.shape[1:], dtype=bool)
        ).full
        yield Finding(
            f"LPIPS of ex_ref and {name}: {score:.4f}, golden value {golden:.4f}",
            abs(score - golden) <= LPIPS_TOLERANCE,
        )
