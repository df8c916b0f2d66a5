"""Classical fills. Each module fills holes in one way, without a network.

A module defines a function, and `FILL`, its description:

    def restore(masked, mask, seed): ...
        masked: (C, H, W) float64 in [0, 1], zero in the hole
        mask: (1, H, W), 1 = known, 0 = hole
        seed: for fills that use random numbers
        options: if the fill has some, an instance of its options class
        report: if the fill has progress, called with the share of the work that is done
        returns: (C, H, W) float64, known pixels unchanged

    FILL = Fill("name", restore, summary=..., source=...)

Most need SciPy, scikit-image or OpenCV (the extra `fills`). Functions import them; modules do not.
So fills can be listed without these packages.
"""

from dip.fills.fill import Fill
from dip.system.registry import constants_of

__all__ = ["FILLS", "Fill"]

FILLS = constants_of(__name__, "FILL", Fill)
