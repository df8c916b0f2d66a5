"""Stopping rules. Each module defines one rule: its options, its memory and its value.

Rules read the outputs of a fit and never change the fit.
"""

from typing import TYPE_CHECKING, Any

from dip.options.registry import one_of, options_of, parse_options
from dip.options.rules.base import RuleOptions

RULES = options_of(__name__, RuleOptions)

if TYPE_CHECKING:
    AnyRule = RuleOptions
else:
    AnyRule = one_of(RULES.values())


def parse_rule(entry: Any) -> RuleOptions:
    """Parse a rule.

    Args:
        entry: the rule's name, `{name: settings}`, or its options, which are returned unchanged.

    Returns:
        The options of the rule.

    Raises:
        InputError: the rule or one of its settings is unknown or invalid.
    """
    return parse_options(entry, "rule", RuleOptions, RULES, "es-wmv: {window: 50}")
