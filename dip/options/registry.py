"""Registries of options: they find the option classes that the modules of a folder define."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar

from pydantic import Field

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
            raise RuntimeError(f"{module.__file__}: defines {names}; keep one in a module")
        options += [(model.model_fields["name"].default, module.__name__, model) for model in own]
    return by_name(options)


def one_of(options: Iterable[type[Options]]) -> Any:
    """The annotation of a field that accepts any of these options; `name` says which."""
    return Annotated[reduce(or_, options), Field(discriminator="name")]
