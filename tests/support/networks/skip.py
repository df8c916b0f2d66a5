"""Figures of the paper's `models/skip.py`."""

from dip import load_preset
from dip.options.networks.skip import SkipOptions
from support.networks import Facts, Output

TWO = {"channels": (4, 6), "skip_channels": (2, 2)}
FACTS = Facts(
    golden={
        "skip": SkipOptions(channels=(4, 6, 8), skip_channels=(2, 0, 3)),
        "skip, bilinear": SkipOptions(**TWO, upsampling="bilinear", padding="zero"),
        "skip, average": SkipOptions(**TWO, downsampling="average", pointwise=False),
        "skip, max": SkipOptions(**TWO, downsampling="max", pointwise=False),
        "skip, lanczos2": SkipOptions(**TWO, downsampling="lanczos2", pointwise=False),
        "skip, lanczos3": SkipOptions(**TWO, downsampling="lanczos3", pointwise=False),
    },
    variants=(
        SkipOptions(channels=(4, 6), skip_channels=(0, 0), upsampling="bilinear", padding="zero"),
        SkipOptions(**TWO, downsampling="max", encoder_kernel=5),
        SkipOptions(**TWO, downsampling="lanczos2"),
        SkipOptions(**TWO, downsampling="lanczos3", padding="zero"),
        SkipOptions(**TWO, encoder_kernel=7),
        SkipOptions(**TWO, decoder_kernel=5),
        SkipOptions(**TWO, decoder_kernel=9),
    ),
    parameters=(
        (load_preset("dip-random50").method.architecture, 32, 2_217_831),
        (load_preset("dip-sparse98").method.architecture, 32, 1_027_379),
        (load_preset("dip-text").method.architecture, 32, 3_002_627),
        (load_preset("dip-vase").method.architecture, 2, 2_157_955),
        (load_preset("dip-library").method.architecture, 1, 2_996_467),
    ),
    outputs=(
        Output(
            SkipOptions(upsampling="bilinear", padding="reflection"),
            (32, 64, 96),
            [0.4750275432, 0.3735122653, 0.1906501612, 0.217630746],
        ),
        Output(
            SkipOptions(skip_channels=(0,) * 5, upsampling="nearest", padding="reflection"),
            (32, 64, 96),
            [0.4728505099, 0.3734136516, 0.1621552075, 0.2554525618],
        ),
        Output(
            SkipOptions(upsampling="nearest", padding="zero"),
            (32, 64, 96),
            [0.4730772492, 0.3727702321, 0.1458645337, 0.2743328176],
        ),
        Output(
            SkipOptions(
                channels=(16, 32, 64, 128, 128),
                skip_channels=(0,) * 5,
                upsampling="bilinear",
                downsampling="average",
            ),
            (32, 64, 96),
            [0.493477337, 0.2716699706, 0.6702686157, 0.1400117036],
        ),
        Output(
            SkipOptions(
                channels=(16, 32, 64, 128, 128, 128),
                skip_channels=(0,) * 6,
                encoder_kernel=5,
                pointwise=False,
            ),
            (1, 192, 256),
            [0.4923275393, 0.2561922566, 0.5354851357, 0.1467057935],
            size=(192, 256),
        ),
        Output(
            SkipOptions(channels=(8, 8), skip_channels=(2, 2), downsampling="max", padding="zero"),
            (3, 64, 96),
            [0.1381987392, 0.1155108288, 0.0797995177, 0.2890014209],
        ),
        Output(
            SkipOptions(channels=(8, 8), skip_channels=(2, 2), downsampling="lanczos2"),
            (3, 64, 96),
            [0.1378092584, 0.1143244766, 0.0514142278, 0.2924279645],
        ),
        Output(
            SkipOptions(channels=(8, 8), skip_channels=(2, 0), downsampling="lanczos3"),
            (3, 64, 96),
            [0.1379899272, 0.1140149954, 0.0506078534, 0.2902120301],
        ),
    ),
)
