"""What can be chosen: networks, inputs, optimizers, the method that joins them, stopping rules.

pydantic models, frozen and free of torch, so that a suite of hundreds of fits is checked in a
second. A default stands here and nowhere else. `version` counts up whenever the numbers that a
component produces change: results of different versions are never mixed.
"""

from dip.options.base import Number, Options, PositiveInt
from dip.options.engines import EngineName, Precision
from dip.options.inputs import (
    FourierInputOptions,
    InputOptions,
    LearnedInputOptions,
    MeshgridInputOptions,
    NoiseInputOptions,
)
from dip.options.method import Method
from dip.options.networks import (
    ConvDecoderOptions,
    DeepDecoderOptions,
    ImportedOptions,
    NetworkOptions,
    PaperUNetOptions,
    PIPOptions,
    ResNetOptions,
    SirenOptions,
    Size,
    SkipOptions,
    UNetOptions,
)
from dip.options.optimizers import (
    AdamLBFGSOptions,
    AdamOptions,
    AdamWOptions,
    Backtracking,
    OptimizerOptions,
    SGDOptions,
    StepSchedule,
)
from dip.options.rules import (
    RULES,
    ExponentialVarianceOptions,
    HeldOutOptions,
    RuleOptions,
    WindowedVarianceOptions,
    parse_rule,
)

__all__ = [
    "RULES",
    "AdamLBFGSOptions",
    "AdamOptions",
    "AdamWOptions",
    "Backtracking",
    "ConvDecoderOptions",
    "DeepDecoderOptions",
    "EngineName",
    "ExponentialVarianceOptions",
    "FourierInputOptions",
    "HeldOutOptions",
    "ImportedOptions",
    "InputOptions",
    "LearnedInputOptions",
    "MeshgridInputOptions",
    "Method",
    "NetworkOptions",
    "NoiseInputOptions",
    "Number",
    "OptimizerOptions",
    "Options",
    "PIPOptions",
    "PaperUNetOptions",
    "PositiveInt",
    "Precision",
    "ResNetOptions",
    "RuleOptions",
    "SGDOptions",
    "SirenOptions",
    "Size",
    "SkipOptions",
    "StepSchedule",
    "UNetOptions",
    "WindowedVarianceOptions",
    "parse_rule",
]
