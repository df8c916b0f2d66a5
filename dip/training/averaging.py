"""The average of a fit's outputs, which is one of its results beside the last output."""

from torch import Tensor

AVERAGE_DECAY = 0.99  # Ulyanov et al., denoising code: exp_weight


def add_to_average(averaged: Tensor, output: Tensor) -> None:
    """Add one output to the exponential average, in place."""
    averaged.lerp_(output, 1 - AVERAGE_DECAY)
