"""Network options. Each module defines the options of one network, their defaults and its source.

The networks themselves are in `dip.networks`, because options do without torch.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator

from dip.options.networks.base import NetworkOptions
from dip.options.networks.imported import with_name
from dip.options.registry import one_of, options_of

NETWORKS = options_of(__name__, NetworkOptions)

if TYPE_CHECKING:
    AnyNetwork = NetworkOptions
else:
    AnyNetwork = Annotated[one_of(NETWORKS.values()), BeforeValidator(with_name)]
