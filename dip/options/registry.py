"""Registries of options: find the classes that the modules of a folder define."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar

from pydantic import Field

from dip.options.base import Options
from dip.system.registry import by_name, modules_of

Kind = TypeVar("Kind", bound=Options)


def options_of(package: str, base: type[Kind]) -> dict[str, type[Kind]]:
    """Find the options that the modules of a package define, at most one class in each.

    Args:
        package: its full name.
        base: what all of them are derived from.

    Returns:
        The classes by the names that users choose them by.

    Raises:
        RuntimeError: a module defines two classes, or two modules the same name.
    """
    options = []
    for module in modules_of(package).values():
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, base)
            and value is not base
            and value.__module__ == module.__name__
        ]
        if len(own) > 1:
            names = " and ".join(model.__name__ for model in own)
            raise RuntimeError(f"{module.__file__}: defines {names}; a module defines one of them")
        options += [(model.model_fields["name"].default, module.__name__, model) for model in own]
    return by_name(options)


def one_of(options: Iterable[type[Options]]) -> Any:
    """The annotation of a field that takes one of these options, told apart by `name`."""
    return Annotated[reduce(or_, options), Field(discriminator="name")]
