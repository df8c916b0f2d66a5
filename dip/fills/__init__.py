"""Classical fills, which need no network: what a user would try first, and DIP has to beat.

Each fill is a module of this folder with one function, `restore(masked, mask, seed)`:

    masked: (C, H, W) floats in [0, 1], zero in the hole
    mask: (1, H, W), 1 = known, 0 = hole
    seed: for fills that draw at random; none of these does
    returns: (C, H, W) float64, the known pixels as they were

A module is imported when its fill is used: most need SciPy, scikit-image or OpenCV (the extra
`fills`). A new fill is a module and an entry below.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dip.errors import InputError


@dataclass(frozen=True)
class Fill:
    """A fill, described.

    name: its module in this folder, with hyphens. summary: one line on how it fills. source: the
    paper or the library that it follows. quick_pixels: images of up to so many pixels are filled
    within about a tenth of a second (measured for a box and for half and 95 % of the pixels
    missing). version: counts up when its numbers change.
    """

    name: str
    summary: str
    source: str
    quick_pixels: int = 0
    version: int = 1

    def restore(
        self, masked: NDArray[np.floating[Any]], mask: NDArray[Any], seed: int = 0
    ) -> NDArray[np.float64]:
        """Fill the hole of one image.

        Args:
            masked: (C, H, W) floats in [0, 1]; what stands in the hole does not matter.
            mask: (1, H, W), 1 = known, 0 = hole.
            seed: for fills that draw at random.

        Returns:
            (C, H, W) float64: the known pixels as they were, the hole filled.

        Raises:
            InputError: a package that the fill needs is not installed.
        """
        return self.load().restore(masked.astype(np.float64) * (mask != 0), mask, seed)

    def load(self) -> Any:
        """Import the fill's module, which may take a second. `restore` imports it if need be.

        Raises:
            InputError: a package that the fill needs is not installed.
        """
        try:
            return import_module(f"dip.fills.{self.name.replace('-', '_')}")
        except ModuleNotFoundError as error:
            raise InputError(
                f"the fill '{self.name}' needs the package '{error.name}'; the extra `fills` of"
                " dip-bench has it"
            ) from None


_FILLS = (
    Fill("mean", "Each channel's mean over the known pixels.", "this project", quick_pixels=2**19),
    Fill(
        "nearest",
        "The nearest known pixel, by Euclidean distance.",
        "scipy.ndimage.distance_transform_edt",
        quick_pixels=2**19,
    ),
    Fill(
        "harmonic",
        "The membrane through the known pixels: each missing pixel is the mean of its neighbours.",
        "Laplace's equation, five-point stencil",
        quick_pixels=2**14,
    ),
    Fill(
        "biharmonic",
        "The surface of least bending through the known pixels around the hole.",
        "Damelin and Hoang, On Surface Completion and Image Inpainting by Biharmonic"
        " Functions, 2018; skimage.restoration.inpaint_biharmonic",
        quick_pixels=2**13,
    ),
    Fill(
        "telea",
        "From the rim inwards, the weighted mean of what pixels within three continue to.",
        "Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004; cv2.inpaint",
        quick_pixels=2**16,
    ),
    Fill(
        "navier-stokes",
        "From the rim inwards along the lines of equal brightness, as a fluid would flow.",
        "Bertalmio, Bertozzi, Sapiro, Navier-Stokes, Fluid Dynamics, and Image and Video"
        " Inpainting, CVPR 2001; cv2.inpaint",
        quick_pixels=2**16,
    ),
    Fill(
        "total-variation",
        "Least total variation: edges stay sharp and are as short as can be; channels together.",
        "Chan, Shen, Mathematical Models for Local Nontexture Inpaintings, 2002, without"
        " noise; Chambolle, Pock, A First-Order Primal-Dual Algorithm, 2011",
        quick_pixels=2**10,
    ),
)
FILLS = {fill.name: fill for fill in _FILLS}
