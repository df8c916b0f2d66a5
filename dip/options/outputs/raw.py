"""The network's own output."""

from typing import Literal

from dip.options.outputs.base import OutputOptions


class RawOptions(OutputOptions):
    """The network's output at the iteration, before the step that follows from it.

    Source: Ulyanov et al. (CVPR 2018), whose code shows it while it fits.
    """

    name: Literal["raw"] = "raw"
