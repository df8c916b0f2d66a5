"""Registries: find the components that the modules of a folder define."""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Protocol, TypeVar


class Described(Protocol):
    """A component that says what it is called and where lists show it."""

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> float: ...


Component = TypeVar("Component")
Constant = TypeVar("Constant", bound=Described)


def modules_of(package: str) -> dict[str, ModuleType]:
    """Import the modules of a package.

    Args:
        package: its full name.

    Returns:
        The modules by their names in the package, in alphabetical order.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    return {name: import_module(f"{package}.{name}") for name in names}


def by_name(components: Iterable[tuple[str, str, Component]]) -> dict[str, Component]:
    """Arrange components by their names.

    Args:
        components: each with its name and the full name of the module that defines it, before it.

    Raises:
        RuntimeError: two components have the same name.
    """
    modules: dict[str, str] = {}
    named: dict[str, Component] = {}
    for name, module, component in components:
        if name in named:
            raise RuntimeError(f"{modules[name]} and {module} both define '{name}'; rename one")
        modules[name], named[name] = module, component
    return named


def constants_of(package: str, constant: str, kind: type[Constant]) -> dict[str, Constant]:
    """Find the components that modules of a package define as a constant; others define none.

    Args:
        package: its full name.
        constant: the constant's name, as `FILL`.
        kind: its class.

    Returns:
        The components by their names, in their order.

    Raises:
        RuntimeError: a constant is of another class, or two have the same name.
    """
    components = []
    for module in modules_of(package).values():
        component = getattr(module, constant, None)
        if isinstance(component, kind):
            components.append((component.name, module.__name__, component))
        elif hasattr(module, constant):
            raise RuntimeError(f"{module.__file__}: {constant} is no {kind.__name__}")
    return by_name(sorted(components, key=lambda entry: (entry[2].order, entry[0])))
