"""Options of ConvDecoder."""

from typing import Annotated, Literal

from pydantic import Field

from dip.options.base import LARGEST, Count, Size
from dip.options.networks.base import NetworkOptions


class ConvDecoderOptions(NetworkOptions):
    """Decoder of 3x3 convolutions, each after a nearest-neighbour resize from input to image size.

    Source: Darestani and Heckel, Accelerated MRI with un-trained neural networks, 2021 (arXiv
    2007.02471), `ConvDecoder_for_MRI.ipynb`.
    """

    name: Literal["conv-decoder"] = "conv-decoder"
    layers: Annotated[int, Field(strict=True, ge=2, le=LARGEST)] = Field(
        7, description="number of 3x3 convolutions; the last one keeps its size"
    )
    channels: Count = Field(256, description="channels of every layer")
    input_side: Count = Field(8, description="height and width of the input")

    @property
    def minimum_side(self) -> int:
        return 2

    def input_size(self, _: Size) -> Size:
        return self.input_side, self.input_side
