"""Stopping rules. Each module defines one rule: its options, its memory and its value.

Rules read the outputs of a fit and never change the fit.
"""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dip.errors import InputError, explain, unknown
from dip.options.registry import one_of, options_of
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
    if isinstance(entry, RuleOptions):
        return entry
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        raise InputError("a rule is one name with its settings, as in 'es-wmv: {window: 50}'")
    ((name, settings),) = entry.items()
    if name not in RULES:
        raise InputError(unknown("rule", name, RULES))
    if settings is not None and not isinstance(settings, dict):
        raise InputError(f"{name}: settings are 'key: value' pairs, not {settings!r}")
    if "name" in (settings or {}):
        raise InputError(f"{name}: {unknown('key', 'name', _settings(RULES[name]))}")
    try:
        return RULES[name].model_validate(settings or {})
    except ValidationError as error:
        raise InputError(explain(error, RULES[name], at=name)) from None


def _settings(model: type[RuleOptions]) -> list[str]:
    return [key for key in model.model_fields if key != "name"]
