"""Figures of `decodernw` in its `include/decoder.py`."""

from dip.options.networks.deep_decoder import DeepDecoderOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={"deep-decoder": DeepDecoderOptions(channels=(8, 8))},
    variants=(DeepDecoderOptions(channels=(8, 8, 8)),),
    parameters=((DeepDecoderOptions(), 128, 100_224),),
    outputs=(
        Output(
            DeepDecoderOptions(channels=(24, 32, 32)),
            (16, 8, 12),
            [0.5056136867, 0.3112230196, 0.9781458006, 0.3695576399],
        ),
    ),
)
