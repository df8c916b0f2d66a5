"""Options of PIP's network."""

from typing import Literal

from pydantic import Field, model_validator

from dip.options.base import Channels, SkipChannels
from dip.options.networks.base import NetworkOptions
from dip.options.networks.skip import SkipOptions, one_skip_per_scale


class PIPOptions(NetworkOptions):
    """The `skip` network with 1x1 kernels throughout, made for the `fourier` input.

    Source: Shabtay et al., Positional-encoding Image Prior (arXiv 2211.14298) and its code.
    """

    name: Literal["pip"] = "pip"
    channels: Channels = Field(
        (128, 128, 128, 128, 128),
        description="channels of each scale, finest first, the same down and up",
    )
    skip_channels: SkipChannels = Field(
        (4, 4, 4, 4, 4), description="channels of each scale's skip connection; 0 = none"
    )
    upsampling: Literal["nearest", "bilinear"] = Field("bilinear", description="how a map grows")

    @model_validator(mode="after")
    def _check(self) -> "PIPOptions":
        one_skip_per_scale(self.channels, self.skip_channels)
        return self

    @property
    def as_skip(self) -> SkipOptions:
        """Options of the `skip` network that computes the same."""
        chosen = self.model_dump(exclude={"name"})
        return SkipOptions(**chosen, encoder_kernel=1, decoder_kernel=1)

    @property
    def minimum_side(self) -> int:
        return self.as_skip.minimum_side
