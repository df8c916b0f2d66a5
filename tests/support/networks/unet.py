"""Figures of T. Lemsky's `unet.py`."""

from dip import load_preset
from dip.options.networks.unet import UNetOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={"unet": UNetOptions(channels=(4, 6, 8), decoder_kernel=5)},
    variants=(
        UNetOptions(channels=(4,)),
        UNetOptions(channels=(4, 4), decoder_kernel=3),
        UNetOptions(channels=(4, 4, 4), encoder_kernel=1, decoder_kernel=1),
    ),
    parameters=((load_preset("lemsky-unet").method.architecture, 3, 3_923_491),),
    outputs=(
        Output(
            UNetOptions(), (3, 64, 96), [-0.8813117922, 1.7890258534, -0.6207845676, -0.5207889638]
        ),
    ),
)
