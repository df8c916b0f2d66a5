"""Options of the paper's `skip` network."""

from typing import Literal

from pydantic import Field, model_validator

from dip.options.base import Channels, KernelSize, SkipChannels
from dip.options.networks.base import NetworkOptions, smallest_side


def one_skip_per_scale(channels: Channels, skip_channels: SkipChannels) -> None:
    if len(skip_channels) != len(channels):
        raise ValueError(
            f"skip_channels has {len(skip_channels)} values for the"
            f" {len(channels)} scales of channels; give one per scale"
        )


class SkipOptions(NetworkOptions):
    """The paper's main network, an encoder-decoder with narrow convolutions as skip connections.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/skip.py`.
    """

    name: Literal["skip"] = "skip"
    channels: Channels = Field(
        (128, 128, 128, 128, 128),
        description="channels of each scale, finest first, the same down and up",
    )
    skip_channels: SkipChannels = Field(
        (4, 4, 4, 4, 4), description="channels of each scale's skip connection; 0 = none"
    )
    encoder_kernel: KernelSize = Field(3, description="kernel size on the way down")
    decoder_kernel: KernelSize = Field(3, description="kernel size on the way up")
    downsampling: Literal["stride", "average", "max", "lanczos2", "lanczos3"] = Field(
        "stride", description="how a map shrinks; all but stride follow a convolution of stride 1"
    )
    upsampling: Literal["nearest", "bilinear"] = Field("nearest", description="how a map grows")
    padding: Literal["reflection", "zero"] = Field("reflection", description="at the borders")
    pointwise: bool = Field(
        True, strict=True, description="a 1x1 convolution after each convolution on the way up"
    )

    @model_validator(mode="after")
    def _check(self) -> "SkipOptions":
        one_skip_per_scale(self.channels, self.skip_channels)
        return self

    @property
    def minimum_side(self) -> int:
        """The deepest scale has no decoder convolutions."""
        scales = len(self.channels)
        if self.padding == "zero":
            return smallest_side(scales, deepest_side=2)
        return max(
            smallest_side(scales, deepest_side=max(2, self.encoder_kernel // 2 + 1)),
            smallest_side(scales - 1, deepest_side=self.decoder_kernel // 2 + 1),
        )
