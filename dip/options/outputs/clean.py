"""A pass of the input without noise."""

from typing import Literal

from dip.options.outputs.base import OutputOptions


class CleanOptions(OutputOptions):
    """The network's output for the input without noise, after the iteration's step.

    The network stays in training mode, and the fit goes on as if there had been no such pass. There
    is none where a value is not finite, because the step has ruined the weights.
    Source: Ulyanov et al. (CVPR 2018), `inpainting.ipynb`, which ends with `net(net_input)`.
    """

    name: Literal["clean"] = "clean"
