"""Registries of options: they find the option classes that the modules of a folder define."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from dip.errors import InputError, explain, unknown
from dip.options.base import Options
from dip.system.registry import by_name, modules_of

Kind = TypeVar("Kind", bound=Options)


def options_of(package: str, base: type[Kind]) -> dict[str, type[Kind]]:
    """Find the option classes in the modules of a package.

    Args:
        package: full name of the package.
        base: base class of the options.

    Returns:
        The classes, by the names by which users choose them.

    Raises:
        RuntimeError: a module defines two classes, or two modules define the same name.
    """
    options = []
    for module in modules_of(package).values():
        if module.__name__ == base.__module__:  # of base classes
            continue
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, base)
            and value.__module__ == module.__name__
        ]
        if len(own) > 1:
            names = " and ".join(model.__name__ for model in own)
            raise RuntimeError(f"{module.__file__}: defines {names}; keep one in a module")
        options += [(model.model_fields["name"].default, module.__name__, model) for model in own]
    return by_name(options)


def parse_options(
    entry: Any, kind: str, base: type[Kind], options: Mapping[str, type[Kind]], example: str
) -> Kind:
    """Parse what names one of the options of a kind.

    Args:
        entry: a name, `{name: settings}`, or options, which are returned unchanged.
        kind: what messages call it.
        base: base class of the options.
        options: the option classes by name.
        example: an entry with settings, for messages.

    Returns:
        The options.

    Raises:
        InputError: the name or one of the settings is unknown or invalid.
    """
    if isinstance(entry, base):
        return entry
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        article = "an" if kind[0] in "aeiou" else "a"
        raise InputError(f"{article} {kind} is one name with its settings, as in '{example}'")
    ((name, settings),) = entry.items()
    if name not in options:
        raise InputError(unknown(kind, name, options))
    if settings is not None and not isinstance(settings, dict):
        raise InputError(f"{name}: settings are 'key: value' pairs, not {settings!r}")
    if "name" in (settings or {}):
        keys = (field.alias or key for key, field in options[name].model_fields.items())
        raise InputError(f"{name}: {unknown('key', 'name', {*keys} - {'name'})}")
    try:
        return options[name].model_validate(settings or {})
    except ValidationError as error:
        raise InputError(explain(error, options[name], at=name)) from None


def one_of(options: Iterable[type[Options]]) -> Any:
    """The annotation of a field that accepts any of these options; `name` says which."""
    return Annotated[reduce(or_, options), Field(discriminator="name")]
