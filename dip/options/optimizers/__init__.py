"""Optimizers. Each module defines one optimizer and its options."""

from typing import TYPE_CHECKING

from dip.options.optimizers.base import OptimizerOptions
from dip.options.registry import one_of, options_of

OPTIMIZERS = options_of(__name__, OptimizerOptions)

if TYPE_CHECKING:
    AnyOptimizer = OptimizerOptions
else:
    AnyOptimizer = one_of(OPTIMIZERS.values())
