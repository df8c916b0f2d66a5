"""Bertalmio et al., CVPR 2001: along the lines of equal brightness, as a fluid would flow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill
from dip.fills.opencv import RadiusOptions, inpaint


def restore(
    masked: NDArray[np.float64], mask: NDArray[Any], seed: int, options: RadiusOptions
) -> NDArray[np.float64]:
    """See `dip.fills`."""
    import cv2

    return inpaint(masked, mask, cv2.INPAINT_NS, options.radius)


FILL = Fill(
    "navier-stokes",
    restore,
    summary="Continues lines of equal brightness from the rim inwards, as a fluid would flow.",
    source="Bertalmio, Bertozzi, Sapiro, Navier-Stokes, Fluid Dynamics, and Image and Video"
    " Inpainting, CVPR 2001; cv2.inpaint",
    options=RadiusOptions(),
    packages=("cv2",),
    quick_pixels=2**16,
    order=6,
)
