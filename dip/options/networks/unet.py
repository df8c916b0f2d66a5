"""Options of the U-Net of T. Lemsky's deep-image-prior."""

from typing import Literal

from pydantic import Field

from dip.options.base import Channels, KernelSize
from dip.options.networks.base import NetworkOptions, smallest_side


class UNetOptions(NetworkOptions):
    """U-Net with any number of levels and channels per level, and a wider kernel on the way up.

    Source: T. Lemsky, deep-image-prior, `unet.py`.
    """

    name: Literal["unet"] = "unet"
    channels: Channels = Field(
        (16, 32, 64, 128, 128, 128), description="channels of each level, finest first"
    )
    encoder_kernel: KernelSize = Field(3, description="kernel size on the way down")
    decoder_kernel: KernelSize = Field(5, description="kernel size on the way up")

    @property
    def minimum_side(self) -> int:
        return smallest_side(downsamplings=len(self.channels) - 1, deepest_side=2)
