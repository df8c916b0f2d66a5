"""Options of the paper's residual network."""

from typing import Literal

from pydantic import Field

from dip.options.base import Count
from dip.options.networks.base import NetworkOptions


class ResNetOptions(NetworkOptions):
    """Residual blocks at full resolution, without down- or upsampling.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/resnet.py`.
    """

    name: Literal["resnet"] = "resnet"
    blocks: Count = Field(8, description="number of blocks of two 3x3 convolutions each")
    channels: Count = Field(32, description="channels of every block")

    @property
    def minimum_side(self) -> int:
        return 2
