"""Figures of the paper's `models/resnet.py`."""

from dip import load_preset
from dip.options.networks.resnet import ResNetOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={"resnet": ResNetOptions(blocks=2, channels=4)},
    parameters=((load_preset("dip-library-resnet").method.architecture, 1, 158_979),),
    outputs=(
        Output(
            ResNetOptions(), (1, 64, 96), [0.2902103809, 0.1517880831, 0.1978999667, 0.081329589]
        ),
    ),
)
