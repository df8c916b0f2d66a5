"""Options of anybody's network: its import path, and what its class is called with."""

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
    """Anybody's network: a class derived from torch.nn.Module, named as `package.module:Class`.

    It is called with `options` and maps (B, input channels, H, W) to as many channels as the image
    has; of a dictionary `out` is taken, and another size is resized. It may be any Python file that
    can be imported, as one beside where the command is given. Only its own source counts in a
    run's key, not what it imports.
    """

    may_rebuild: ClassVar[bool] = False  # it may rest on NCHW or wait for the device
    name: Literal["import"] = "import"
    import_: ImportPath = Field(alias="import", description="package.module:Class")
    options: Keywords = Field({}, description="keyword arguments of the class")

    @property
    def label(self) -> str:
        return self.import_

    @property
    def key_version(self) -> str:
        """The hash of its module's source. Raises InputError if that cannot be found."""
        return source_sha256(self.import_)


def with_name(network: Any) -> Any:
    """`{import: ...}` needs no name."""
    if isinstance(network, dict) and "import" in network:
        if network.get("name", "import") != "import":
            raise ValueError("a network has either a name or an import, not both")
        return {"name": "import", **network}
    return network
