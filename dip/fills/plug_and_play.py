"""A denoiser in a loop: denoise the whole image, put the known pixels back, again with less noise.

Tirer and Giryes, Image Restoration by Iterative Denoising and Backward Projections (IDBP), IEEE TIP
2019, section IV-A: for a hole and exact known pixels, its backward projection puts these back.
Deviations: the denoiser is non-local means instead of BM3D, whose package may not be used
commercially; its strength falls from iteration to iteration instead of staying at 5 levels.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dip.fills import biharmonic, harmonic
from dip.fills.fill import Fill, Report
from dip.options.base import Number, Options, PositiveInt

# Chosen on twelve crops of CBSD68 (`benchmarks/suites/development.yaml`). The default noise levels
# were chosen with a crop of `barbara` in view, too.
PATCH_SIDE = 7  # pixels; 5 and 3 are worse where half of the pixels are missing
PATCH_DISTANCE = 6  # pixels; 10 is worse there, and three times slower
STRENGTH = 0.6  # filter strength h of non-local means, in standard deviations of the noise


class PlugAndPlayOptions(Options):
    """A denoiser in a loop."""

    start: Literal["harmonic", "biharmonic"] = Field("harmonic", description="the fill to start at")
    iterations: PositiveInt = Field(24, description="rounds of denoising")
    first_sigma: Number = Field(20.0, gt=0, description="noise of the first round, in 8-bit levels")
    last_sigma: Number = Field(3.0, gt=0, description="noise of the last round, in 8-bit levels")

    @model_validator(mode="after")
    def _falls(self) -> "PlugAndPlayOptions":
        if self.last_sigma > self.first_sigma:
            raise ValueError(
                f"last_sigma {self.last_sigma:g} is above first_sigma {self.first_sigma:g}; the"
                " noise falls from round to round"
            )
        return self


def restore(
    masked: NDArray[np.float64],
    mask: NDArray[Any],
    seed: int,
    options: PlugAndPlayOptions,
    report: Report,
) -> NDArray[np.float64]:
    """See `dip.fills`."""
    from skimage.restoration import denoise_nl_means  # this imports only a part of it

    hole = mask[0] == 0
    image = masked.transpose(1, 2, 0)
    if options.start == "biharmonic":
        filled = biharmonic.restore(masked, mask, seed).transpose(1, 2, 0).clip(0, 1)
    else:
        filled = harmonic.membrane(image, hole)
    sigmas = np.geomspace(options.first_sigma, options.last_sigma, options.iterations) / 255
    for done, sigma in enumerate(sigmas, start=1):
        denoised = denoise_nl_means(
            filled,
            patch_size=PATCH_SIDE,
            patch_distance=PATCH_DISTANCE,
            h=STRENGTH * sigma,
            sigma=sigma,
            fast_mode=True,
            channel_axis=-1,
        )
        filled = filled.copy()
        filled[hole] = denoised.reshape(filled.shape)[hole]  # a grey image comes without channels
        report(done / options.iterations)
    return filled.transpose(2, 0, 1)


def _memory(hole: NDArray[np.bool_], channels: int, options: PlugAndPlayOptions) -> float:
    """Estimate the bytes of the fill that it starts from, which needs more than the denoiser."""
    start = biharmonic if options.start == "biharmonic" else harmonic
    return start.memory(hole, channels, options)


FILL = Fill(
    "plug-and-play",
    restore,
    summary="Non-local means in a loop that puts the known pixels back and trusts them ever more.",
    source="Tirer, Giryes, Image Restoration by Iterative Denoising and Backward Projections, IEEE"
    " TIP 2019, with skimage.restoration.denoise_nl_means",
    options=PlugAndPlayOptions(),
    packages=("skimage.restoration.non_local_means", "skimage.util", "scipy.sparse.linalg"),
    has_progress=True,
    cost="about 0.5 s at 128x128 pixels in colour, growing with the image",
    memory=_memory,
    order=7.5,
)
