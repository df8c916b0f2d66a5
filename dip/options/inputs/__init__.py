"""Network inputs. Each module defines the options of one input and makes its tensor."""

from typing import TYPE_CHECKING

from dip.options.inputs.base import InputOptions
from dip.options.registry import one_of, options_of

INPUTS = options_of(__name__, InputOptions)

if TYPE_CHECKING:
    AnyInput = InputOptions
else:
    AnyInput = one_of(INPUTS.values())
