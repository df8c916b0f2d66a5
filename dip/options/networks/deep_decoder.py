"""Options of Deep Decoder."""

from typing import Literal

from pydantic import Field

from dip.options.base import Channels, Size
from dip.options.networks.base import NetworkOptions


class DeepDecoderOptions(NetworkOptions):
    """Decoder of 1x1 convolutions and bilinear doublings; the deeper it is, the smaller its input.

    Source: Heckel and Hand, Deep Decoder, ICLR 2019 (arXiv 1810.03982), `include/decoder.py`.
    """

    name: Literal["deep-decoder"] = "deep-decoder"
    channels: Channels = Field(
        (128, 128, 128, 128, 128),
        description="channels of each layer before a doubling, coarsest first",
    )

    def input_size(self, size: Size) -> Size:
        factor = 2 ** len(self.channels)
        return -(-size[0] // factor), -(-size[1] // factor)
