"""Options of an imported network: its import path and the keyword arguments of its class."""

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dip.options.imports import ImportPath, source_sha256
from dip.options.networks.base import NetworkOptions


def _plain(options: Any) -> Any:
    try:
        is_plain = all(isinstance(key, str) for key in options) and json.dumps(
            options, allow_nan=False
        )
    except (TypeError, ValueError):
        is_plain = False
    if not is_plain or not isinstance(options, dict):
        raise ValueError(
            "options are 'name: value' pairs of text, numbers, true, false, null, lists, mappings"
        )
    return options


Keywords = Annotated[dict[str, Any], BeforeValidator(_plain)]


class ImportedOptions(NetworkOptions):
    """Any class derived from torch.nn.Module, named as `package.module:Class`.

    The class is called with `options`. Its network maps (B, input channels, H, W) to the image's
    channels. If it returns a dictionary, the entry `out` is used; an output of another size is
    resized. The module may be any that Python can import, for example a file in the current folder.
    A run's key contains the hash of that module, not of the modules that it imports.
    """

    may_rebuild: ClassVar[bool] = False  # it may depend on NCHW or synchronize with the device
    name: Literal["import"] = "import"
    import_: ImportPath = Field(alias="import", description="package.module:Class")
    options: Keywords = Field({}, description="keyword arguments of the class")

    @property
    def label(self) -> str:
        return self.import_

    @property
    def key_version(self) -> str:
        """The hash of its module's source. Raises InputError if the module cannot be found."""
        return source_sha256(self.import_)


def with_name(network: Any) -> Any:
    """Add the name `import` to a mapping `{import: ...}`.

    Args:
        network: an entry of a suite or preset.

    Returns:
        The entry with its name.

    Raises:
        ValueError: the entry has both a name and an import.
    """
    if isinstance(network, dict) and "import" in network:
        if network.get("name", "import") != "import":
            raise ValueError("give a network either a name or an import, not both")
        return {"name": "import", **network}
    return network
