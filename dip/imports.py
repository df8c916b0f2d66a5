"""Anybody's network, named as `package.module:Class`: from the name to its source and its class.

Naming one in a suite runs that module's code, as every Python import does; nothing else is called
before it has proved to be a class derived from torch.nn.Module.
"""

import hashlib
import importlib
import importlib.util
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


def source_sha256(path: str) -> str:
    """SHA-256 of the source of the module in `package.module:Class`, without importing it.

    Packages above it are imported. Raises InputError if there is no such module.
    """
    module = path.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    except Exception as error:
        raise InputError(f"{path}: importing it fails with {_described(error)}") from None
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
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(f"{path}: importing it fails with {_described(error)}") from None
    found = getattr(module, name, None)
    if isinstance(found, type) and issubclass(found, nn.Module):
        return found
    classes = [
        name
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, nn.Module)
    ]
    if found is None:
        raise InputError(f"{path}: {unknown('class', name, classes)}")
    what = "another class" if isinstance(found, type) else f"a {type(found).__name__}"
    raise InputError(f"{path}: is {what}, not one derived from torch.nn.Module; wrap it in one")


def _described(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
