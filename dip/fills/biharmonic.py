"""The surface of least bending through the known pixels around the hole.

Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic Functions, 2018, as
scikit-image has it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.fills.fill import Fill


def restore(masked: NDArray[np.float64], mask: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """See `dip.fills`."""
    from skimage.restoration import inpaint_biharmonic

    image = masked.transpose(1, 2, 0)
    filled = inpaint_biharmonic(image, mask[0] == 0, channel_axis=-1)
    return np.asarray(filled, dtype=np.float64).transpose(2, 0, 1)


FILL = Fill(
    "biharmonic",
    restore,
    summary="The surface through the known pixels around the hole that bends least.",
    source="Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic"
    " Functions, 2018; skimage.restoration.inpaint_biharmonic",
    # The submodule, because scikit-image imports its parts only when they are first used.
    packages=("skimage.restoration.inpaint", "skimage.util"),
    quick_pixels=2**13,
    order=4,
)
