"""Figures of `FCBlock` in its `modules.py`."""

from dip.options.networks.siren import SirenOptions
from support.networks import Facts, Output

FACTS = Facts(
    golden={"siren": SirenOptions(channels=8, layers=2)},
    parameters=((SirenOptions(), 2, 198_915),),
    outputs=(
        Output(
            SirenOptions(channels=32),
            (2, 64, 96),
            [-0.0058147622, 0.434275536, -0.1432921856, 0.5612678612],
        ),
    ),
)
