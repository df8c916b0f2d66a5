"""When to stop a fit: rules that read its outputs and never touch it."""

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError

from dip.errors import InputError, explain, unknown
from dip.options.base import Number, Options, PositiveInt


class Rule(Options):
    """What every rule's options answer.

    version counts up when what it chooses changes: stored answers of another version are not used.
    """

    version: ClassVar[int] = 1
    name: str
    patience: PositiveInt | None = Field(
        1000, description="iterations without a new least value until it stops; none = never"
    )

    @property
    def label(self) -> str:
        """The rule with the settings that are not its defaults: `es-wmv[window=50]`."""
        changed = self.model_dump(exclude={"name"}, exclude_defaults=True)
        settings = ",".join(
            f"{key}={'none' if changed[key] is None else changed[key]}"
            for key in sorted(changed, key=lambda key: key == "patience")  # what all have last
        )
        return f"{self.name}[{settings}]" if settings else self.name


class WindowedVarianceOptions(Rule):
    """Least variance of the last outputs.

    Source: Wang et al., Early Stopping for Deep Image Prior (arXiv 2112.06074), ES-WMV.
    """

    name: Literal["es-wmv"] = "es-wmv"
    window: int = Field(100, strict=True, ge=2, description="outputs that the variance is over")


class ExponentialVarianceOptions(Rule):
    """Least exponential moving variance of the outputs, which keeps none of them.

    Source: Wang et al., Early Stopping for Deep Image Prior (arXiv 2112.06074), ES-EMV, and its
    code, `ES_EMV.ipynb`.
    """

    name: Literal["es-emv"] = "es-emv"
    alpha: Number = Field(0.1, gt=0, lt=1, description="share of the newest output")
    warm_up: int = Field(
        101,  # as its code, which looks from its epoch 101 on and counts from 0
        strict=True,
        ge=1,
        description="first iterations whose variance is not looked at",
    )


class HeldOutOptions(Rule):
    """Least error of the known pixels that a method's `held_out` keeps from the loss.

    It follows every such fit, named or not. Source: this project.
    """

    name: Literal["held-out"] = "held-out"
    patience: PositiveInt | None = Field(
        None, description="iterations without a new least value until it stops; none = never"
    )


RuleOptions = WindowedVarianceOptions | ExponentialVarianceOptions | HeldOutOptions
RULES: dict[str, type[RuleOptions]] = {
    model.model_fields["name"].default: model
    for model in (WindowedVarianceOptions, ExponentialVarianceOptions, HeldOutOptions)
}


def parse_rule(entry: Any) -> RuleOptions:
    """A rule by its name, or as `{name: settings}`; options pass through.

    Raises InputError with the nearest name if there is none.
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
