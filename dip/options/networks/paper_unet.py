"""Options of the U-Net of the paper's code."""

from typing import Literal

from pydantic import Field

from dip.options.base import Channels
from dip.options.networks.base import NetworkOptions, smallest_side


class PaperUNetOptions(NetworkOptions):
    """U-Net of the paper's code; norms on the way down only.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/unet.py`: its `feature_scale` 8 and
    `more_layers` 1 are the default channels here, the last two of which are that added layer.
    """

    name: Literal["paper-unet"] = "paper-unet"
    channels: Channels = Field(
        (8, 16, 32, 64, 128, 128), description="channels of each level, finest first"
    )
    upsampling: Literal["deconvolution", "nearest", "bilinear"] = Field(
        "deconvolution", description="how a map grows; all but deconvolution precede a convolution"
    )
    norm: Literal["instance", "batch"] = Field("instance", description="on the way down")
    padding: Literal["zero", "reflection"] = Field("zero", description="at the borders")

    @property
    def minimum_side(self) -> int:
        return smallest_side(downsamplings=len(self.channels) - 1, deepest_side=2)
