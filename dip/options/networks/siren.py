"""Options of SIREN."""

from typing import Literal

from pydantic import Field

from dip.options.base import Count, Number
from dip.options.networks.base import NetworkOptions


class SirenOptions(NetworkOptions):
    """Fully connected layers with sine activations at every pixel, made for the `meshgrid` input.

    Source: Sitzmann et al., Implicit Neural Representations with Periodic Activation Functions,
    NeurIPS 2020 (arXiv 2006.09661), `modules.py`.
    """

    name: Literal["siren"] = "siren"
    channels: Count = Field(256, description="channels of every layer")
    layers: Count = Field(3, description="number of layers between the first and the last")
    frequency: Number = Field(30.0, gt=0, description="factor inside each sine, omega_0")
