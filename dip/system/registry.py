"""Registries: they find the components that the modules of a folder define."""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Protocol, TypeVar


class Described(Protocol):
    """A component with a name and a position in lists."""

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> float: ...


Component = TypeVar("Component")
Constant = TypeVar("Constant", bound=Described)


def modules_of(package: str) -> dict[str, ModuleType]:
    """Import the modules of a package.

    Args:
        package: full name of the package.

    Returns:
        The modules by name, in alphabetical order.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    return {name: import_module(f"{package}.{name}") for name in names}


def by_name(components: Iterable[tuple[str, str, Component]]) -> dict[str, Component]:
    """Arrange components by name.

    Args:
        components: (name, full name of the defining module, component) of each.

    Returns:
        The components by name, in the given order.

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
    """Find the components that modules of a package define as a constant.

    Modules without the constant are skipped.

    Args:
        package: full name of the package.
        constant: name of the constant, e.g. `FILL`.
        kind: class of the components.

    Returns:
        The components by name, sorted by `order`, then by name.

    Raises:
        RuntimeError: a constant has another class, or two components have the same name.
    """
    components = []
    for module in modules_of(package).values():
        component = getattr(module, constant, None)
        if isinstance(component, kind):
            components.append((component.name, module.__name__, component))
        elif hasattr(module, constant):
            raise RuntimeError(f"{module.__file__}: {constant} must be a {kind.__name__}")
    return by_name(sorted(components, key=lambda entry: (entry[2].order, entry[0])))
