"""What a user got wrong, in one line: every message says what, where and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError


class InputError(ValueError):
    """A mistake in what the user gave; command lines print it and exit with code 2.

    Where the message names an option, the option stands in backticks by its Python name, as
    `max_side`; command lines turn it into their own flag, `--max-side`.
    """


class FailedFitError(ArithmeticError):
    """A fit failed and left nothing to fill the hole with; says why, and what may help."""


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """The message for a name that is none of `known`, with the nearest one."""
    known = sorted(known)
    nearest = get_close_matches(str(name), known, n=1)
    hint = f"Did you mean '{nearest[0]}'?" if nearest else f"Known: {', '.join(known)}."
    return f"unknown {kind} '{name}'. {hint}"


def explain(error: ValidationError, model: type[BaseModel], at: str = "") -> str:
    """The first finding of a pydantic error as `where: what`, and how many others there are.

    at: where the model itself stands.
    """
    # A key that is not known often explains why another is missing.
    finding, *others = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    location, models = _follow(finding["loc"], model)
    message = finding["msg"].removeprefix("Value error, ")
    if finding["type"] == "extra_forbidden":
        keys = {
            field.alias or key
            for candidate in models
            for key, field in candidate.model_fields.items()
            if not field.exclude
        }
        message = unknown("key", location.pop(), keys)
    elif finding["type"] == "union_tag_invalid":
        known = [tag.strip(" '") for tag in finding["ctx"]["expected_tags"].split(",")]
        message = unknown(str(location[-1]), finding["ctx"]["tag"], known)
    elif finding["type"] in ("model_type", "model_attributes_type", "dict_type"):
        message = f"takes settings, as {{name: value}}, not {finding['input']!r}"
    elif finding["type"] == "string_type" and isinstance(finding["input"], bool | int | float):
        message = f"must be text; write '{finding['input']}' in quotes"
    elif finding["type"] == "union_tag_not_found":
        message = "missing 'name'"
    elif finding["type"] not in ("missing", "value_error"):
        message += f", not {finding['input']!r}"
    where = at + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    more = f" (and {len(others)} more)" if others else ""
    return f"{where.lstrip('.')}: {message}{more}".removeprefix(": ")


def _follow(
    loc: tuple[int | str, ...], model: type[BaseModel]
) -> tuple[list[int | str], list[type[BaseModel]]]:
    """Walk an error's location through the models: what to show of it, and the last models met.

    pydantic puts the chosen member of a union into the location; the user never wrote it there.
    """
    shown: list[int | str] = []
    models = [model]
    for part in loc:
        chosen = [each for each in models if _name(each) == part]
        if chosen and len(models) > 1:
            models = chosen
            continue
        shown.append(part)
        fields = [each.model_fields[part] for each in models if part in each.model_fields]
        models = [m for field in fields for m in _models_in(field.annotation)] or models
    return shown, models


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner)]


def _name(model: type[BaseModel]) -> object:
    field = model.model_fields.get("name")
    return field.default if field else None
