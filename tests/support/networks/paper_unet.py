"""Figures of the paper's `models/unet.py`."""

from dip import load_preset
from dip.options.networks.paper_unet import PaperUNetOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={
        "paper-unet": PaperUNetOptions(channels=(4, 6, 6)),
        "paper-unet, bilinear": PaperUNetOptions(
            channels=(4, 6), upsampling="bilinear", norm="batch", padding="reflection"
        ),
        "paper-unet, nearest": PaperUNetOptions(channels=(4, 6, 8), upsampling="nearest"),
    },
    parameters=((load_preset("dip-library-unet").method.architecture, 1, 1_616_315),),
    outputs=(
        Output(
            PaperUNetOptions(),
            (1, 64, 96),
            [0.2104495904, 0.1459823492, 0.0028028335, 0.3312427637],
        ),
        Output(
            PaperUNetOptions(
                channels=(4, 8, 16, 32, 64),
                upsampling="bilinear",
                norm="batch",
                padding="reflection",
            ),
            (3, 64, 96),
            [0.4634779432, 0.3793838381, 0.9723466339, 0.9999999999],
        ),
    ),
)
