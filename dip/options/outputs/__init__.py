"""Outputs of a fit. Each module defines one output: its options and the weights of its average.

Outputs are read off a trajectory and never change it.
"""

import re
from typing import Any

from dip.options.outputs.averaged import AveragedOptions
from dip.options.outputs.base import OutputOptions
from dip.options.outputs.raw import RawOptions
from dip.options.registry import options_of, parse_options

OUTPUTS = options_of(__name__, OutputOptions)
ALWAYS: tuple[OutputOptions, ...] = (RawOptions(), AveragedOptions())  # a fit has them unasked
FIRST_VERSION = 1  # of `ALWAYS` in a record or state that names no versions
LABEL = re.compile(r"([\w-]+)\[(.+)\]")


def parse_output(entry: Any) -> OutputOptions:
    """Parse an output.

    Args:
        entry: the output's name or label, `{name: settings}`, or its options, which are returned
            unchanged.

    Returns:
        The options of the output.

    Raises:
        InputError: the output or one of its settings is unknown or invalid.
    """
    if isinstance(entry, str) and (label := LABEL.fullmatch(entry)):
        pairs = (setting.partition("=") for setting in label[2].split(","))
        settings = {key: int(text) if text.isdecimal() else text for key, _, text in pairs}
        entry = {label[1]: settings}
    return parse_options(entry, "output", OutputOptions, OUTPUTS, "mean: {from: 7000, every: 50}")
