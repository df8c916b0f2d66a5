"""Figures of `conv_model` in its `ConvDecoder_for_MRI.ipynb`, with a sigmoid."""

from dip.options.networks.conv_decoder import ConvDecoderOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={"conv-decoder": ConvDecoderOptions(layers=3, channels=8)},
    variants=(ConvDecoderOptions(layers=3, channels=8, input_side=9),),
    parameters=((ConvDecoderOptions(), 256, 4_134_915),),
    outputs=(
        Output(
            ConvDecoderOptions(channels=16, input_side=5),
            (16, 5, 5),
            [0.5825819162, 0.3413074232, 0.7682354027, 0.0977252272],
        ),
    ),
)
