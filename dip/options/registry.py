"""Finds what can be chosen: each module of a folder adds one thing, and no list names it."""

import pkgutil
from collections.abc import Iterable
from functools import reduce
from importlib import import_module
from operator import or_
from types import ModuleType
from typing import Annotated, Any, TypeVar

from pydantic import Field

from dip.options.base import Options

Kind = TypeVar("Kind", bound=Options)


def modules_of(package: str) -> dict[str, ModuleType]:
    """Import the modules of a package.

    Args:
        package: its full name.

    Returns:
        The modules by their names in the package, in alphabetical order.
    """
    names = sorted(each.name for each in pkgutil.iter_modules(import_module(package).__path__))
    return {name: import_module(f"{package}.{name}") for name in names}


def options_of(package: str, base: type[Kind]) -> dict[str, type[Kind]]:
    """Find the options that the modules of a package define, at most one class in each.

    Args:
        package: its full name.
        base: what all of them are derived from.

    Returns:
        The classes by the names that users choose them by.
    """
    return {
        each.model_fields["name"].default: each
        for module in modules_of(package).values()
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, base)
        and each is not base
        and each.__module__ == module.__name__
    }


def one_of(options: Iterable[type[Options]]) -> Any:
    """The annotation of a field that takes one of these options, told apart by `name`."""
    return Annotated[reduce(or_, options), Field(discriminator="name")]
