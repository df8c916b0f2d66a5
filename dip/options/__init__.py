"""Options of networks, inputs, losses, optimizers, rules and outputs, and the method of a fit.

They are frozen pydantic models that do not import torch, so that a suite of hundreds of fits is
checked in a second. Each network, input, loss, optimizer, rule and output has a module in its
folder; its registry finds it there. Defaults are defined here and nowhere else. `version` increases
whenever the output of a component changes: results of different versions are never mixed.
"""

from dip.options.base import EngineName, Number, Options, PositiveInt, Precision, Seed, Size
from dip.options.inputs import INPUTS
from dip.options.inputs.base import InputOptions
from dip.options.losses import LOSSES
from dip.options.method import Backtracking, Method, StepSchedule
from dip.options.networks import NETWORKS
from dip.options.networks.base import NetworkOptions
from dip.options.optimizers import OPTIMIZERS
from dip.options.optimizers.base import OptimizerOptions
from dip.options.outputs import OUTPUTS, parse_output
from dip.options.outputs.base import OutputOptions
from dip.options.rules import RULES, AnyRule, parse_rule
from dip.options.rules.base import RuleOptions

__all__ = [
    "INPUTS",
    "LOSSES",
    "NETWORKS",
    "OPTIMIZERS",
    "OUTPUTS",
    "RULES",
    "AnyRule",
    "Backtracking",
    "EngineName",
    "InputOptions",
    "Method",
    "NetworkOptions",
    "Number",
    "OptimizerOptions",
    "Options",
    "OutputOptions",
    "PositiveInt",
    "Precision",
    "RuleOptions",
    "Seed",
    "Size",
    "StepSchedule",
    "parse_output",
    "parse_rule",
]
