"""Figures of the paper's `models/skip.py` with 1x1 kernels."""

from dip import load_preset
from dip.options.networks.pip import PIPOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={"pip": PIPOptions(channels=(6, 6), skip_channels=(2, 0))},
    variants=(PIPOptions(channels=(4, 4), skip_channels=(0, 0)),),
    parameters=((load_preset("pip").method.architecture, 32, 329_575),),
    outputs=(
        Output(
            PIPOptions(), (32, 64, 96), [0.4777508551, 0.3737273876, 0.1238149755, 0.2734833042]
        ),
    ),
)
