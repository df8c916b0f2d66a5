"""Anybody's network, named as `package.module:Class`: from the name to its source and its class.

Naming one in a suite runs its module's code when it is to be fitted, and that of the packages above
it whenever the suite is read, as every Python import does. Nothing is called before it has proved
to be a class derived from torch.nn.Module.
"""

import hashlib
import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from dip.errors import InputError, unknown

if TYPE_CHECKING:
    from torch import nn


def _checked(path: str) -> str:
    module, colon, name = path.partition(":")
    if not colon or not name.isidentifier() or not all(map(str.isidentifier, module.split("."))):
        raise ValueError(f"a network is named as 'package.module:Class', not {path!r}")
    return path


ImportPath = Annotated[str, AfterValidator(_checked)]


@contextmanager
def code_of_others(doing: str) -> Iterator[None]:
    """Whatever goes wrong in code that is not ours becomes an InputError of one line.

    So does the exit of a script that was imported.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines() or [""]
        raise InputError(f"{doing} fails with {type(error).__name__}: {lines[0]}") from None


def source_sha256(path: str) -> str:
    """SHA-256 of the source of the module in `package.module:Class`, without importing it.

    Packages above it are imported. Raises InputError if there is no such module.
    """
    module = path.partition(":")[0]
    with code_of_others(f"{path}: importing it"):
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                raise
            spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise InputError(
            f"{path}: there is no module '{module}' with a source file, in the folder of this"
            " command or among the installed packages"
        )
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()


def network_class(path: str) -> "type[nn.Module]":
    """The class that `package.module:Class` names.

    Raises InputError unless it is one derived from torch.nn.Module.
    """
    from torch import nn

    source_sha256(path)  # its message is the better one where there is no such module
    module_name, _, name = path.partition(":")
    with code_of_others(f"{path}: importing it"):
        module = importlib.import_module(module_name)
    named = getattr(module, name, None)
    if isinstance(named, type) and issubclass(named, nn.Module):
        return named
    classes = [
        known
        for known, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, nn.Module)
    ]
    if named is None:
        raise InputError(f"{path}: {unknown('class', name, classes)}")
    what = "another class" if isinstance(named, type) else f"a {type(named).__name__}"
    raise InputError(f"{path}: is {what}, not one derived from torch.nn.Module; wrap it in one")
