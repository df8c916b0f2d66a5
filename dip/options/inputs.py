"""What a network can be fed, each with its options, their defaults and its source."""

from typing import ClassVar, Literal

from pydantic import Field

from dip.options.base import Number, Options, PositiveInt


class LearnedInputOptions(Options):
    """A parameter of the input's size, trained together with the weights.

    Source: T. Lemsky, deep-image-prior, `inpaint.py`.
    """

    version: ClassVar[int] = 1
    name: Literal["learned"] = "learned"
    channels: PositiveInt = Field(3, description="channels of the input")
    scale: Number = Field(0.1, gt=0, description="initialised uniform in [0, scale)")


class NoiseInputOptions(Options):
    """Fixed noise of the input's size. Source: Ulyanov et al., CVPR 2018."""

    version: ClassVar[int] = 1
    name: Literal["noise"] = "noise"
    channels: PositiveInt = Field(32, description="channels of the input")
    scale: Number = Field(0.1, gt=0, description="drawn uniform in [0, scale)")


class MeshgridInputOptions(Options):
    """Each pixel's coordinates, two channels: along the width, then along the height.

    Source: Ulyanov et al., CVPR 2018, `utils/common_utils.py`.
    """

    version: ClassVar[int] = 1
    name: Literal["meshgrid"] = "meshgrid"
    start: Number = Field(0.0, lt=1, description="coordinates run from here to 1")

    @property
    def channels(self) -> int:
        return 2


class FourierInputOptions(Options):
    """Cosines and sines of each pixel's coordinates in [0, 1], at geometrically spaced frequencies.

    Source: Shabtay et al., Positional-encoding Image Prior (arXiv 2211.14298), and its code.
    """

    version: ClassVar[int] = 1
    name: Literal["fourier"] = "fourier"
    frequencies: PositiveInt = Field(8, description="how many; each gives four channels")
    highest: Number = Field(256.0, ge=1, description="radians per image side; the lowest is 1")

    @property
    def channels(self) -> int:
        return 4 * self.frequencies


InputOptions = LearnedInputOptions | NoiseInputOptions | MeshgridInputOptions | FourierInputOptions
