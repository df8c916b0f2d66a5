"""What can be chosen in a fit: networks, inputs, and the method that joins them with an optimiser.

pydantic models, frozen and free of torch, so that a suite of hundreds of fits is checked in a
second. A default stands here and nowhere else. `version` counts up whenever the numbers that a
component produces change: results of different versions are never mixed.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Options(BaseModel):
    """Frozen options that refuse a key they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _odd(value: int) -> int:
    if value < 1 or value % 2 == 0:
        raise ValueError(f"a kernel size is a positive odd number, not {value}")
    return value


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"a number is needed, not {str(value).lower()}")
    return value


# Not strict: YAML reads 1e-3 as text.
Number = Annotated[float, BeforeValidator(_no_truth_value)]
# Strict: YAML's `true` and "3" are no numbers of things.
PositiveInt = Annotated[int, Field(strict=True, gt=0)]
KernelSize = Annotated[int, Field(strict=True), AfterValidator(_odd)]
Channels = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
SkipChannels = Annotated[tuple[Annotated[int, Field(strict=True, ge=0)], ...], Field(min_length=1)]


def _minimum_side(downsamplings: int, deepest_side: int) -> int:
    """The smallest side of which `deepest_side` pixels are left after so many ceiling halvings."""
    return 2**downsamplings * (deepest_side - 1) + 1


class UNetOptions(Options):
    """U-Net with any number of levels and channels per level, and a wider kernel on the way up.

    Source: T. Lemsky, deep-image-prior, `unet.py`.
    """

    version: ClassVar[int] = 1
    name: Literal["unet"] = "unet"
    channels: Channels = Field(
        (16, 32, 64, 128, 128, 128), description="channels of each level, finest first"
    )
    encoder_kernel: KernelSize = Field(3, description="kernel size on the way down")
    decoder_kernel: KernelSize = Field(5, description="kernel size on the way up")

    @property
    def minimum_side(self) -> int:
        """Pixels an image needs on each side: BatchNorm wants more than one value per channel."""
        return _minimum_side(downsamplings=len(self.channels) - 1, deepest_side=2)


class SkipOptions(Options):
    """Encoder-decoder with narrow convolutions as skip connections, the paper's main network.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/skip.py`.
    """

    version: ClassVar[int] = 1
    name: Literal["skip"] = "skip"
    channels: Channels = Field(
        (128, 128, 128, 128, 128),
        description="channels of each scale, finest first, the same down and up",
    )
    skip_channels: SkipChannels = Field(
        (4, 4, 4, 4, 4), description="channels of each scale's skip connection; 0 = none"
    )
    encoder_kernel: KernelSize = Field(3, description="kernel size on the way down")
    decoder_kernel: KernelSize = Field(3, description="kernel size on the way up")
    upsampling: Literal["nearest", "bilinear"] = Field("nearest", description="how a map grows")
    padding: Literal["reflection", "zero"] = Field("reflection", description="at the borders")

    @model_validator(mode="after")
    def _one_skip_per_scale(self) -> "SkipOptions":
        if len(self.skip_channels) != len(self.channels):
            raise ValueError(
                f"skip_channels has {len(self.skip_channels)} values for the"
                f" {len(self.channels)} scales of channels; give one per scale"
            )
        return self

    @property
    def minimum_side(self) -> int:
        """Pixels an image needs on each side.

        BatchNorm wants more than one value per channel at the deepest scale, and a reflection is
        narrower than the map it pads; decoder convolutions stop one scale above the deepest.
        """
        scales = len(self.channels)
        if self.padding == "zero":
            return _minimum_side(scales, deepest_side=2)
        return max(
            _minimum_side(scales, deepest_side=max(2, self.encoder_kernel // 2 + 1)),
            _minimum_side(scales - 1, deepest_side=self.decoder_kernel // 2 + 1),
        )


class LearnedInputOptions(Options):
    """A parameter of the image's size, trained together with the weights.

    Source: T. Lemsky, deep-image-prior, `inpaint.py`.
    """

    version: ClassVar[int] = 1
    name: Literal["learned"] = "learned"
    channels: PositiveInt = Field(3, description="channels of the input")
    scale: Number = Field(0.1, gt=0, description="initialised uniform in [0, scale)")


class NoiseInputOptions(Options):
    """Fixed noise of the image's size. Source: Ulyanov et al., CVPR 2018."""

    version: ClassVar[int] = 1
    name: Literal["noise"] = "noise"
    channels: PositiveInt = Field(32, description="channels of the input")
    scale: Number = Field(0.1, gt=0, description="drawn uniform in [0, scale)")


NetworkOptions = UNetOptions | SkipOptions
InputOptions = LearnedInputOptions | NoiseInputOptions


class Method(Options):
    """Everything that shapes a fit's trajectory but the image, the hole and the seed."""

    version: ClassVar[int] = 1  # of the trainer: loss, optimiser, order of the random draws

    architecture: Annotated[NetworkOptions, Field(discriminator="name")]
    input: Annotated[InputOptions, Field(discriminator="name")]
    input_noise: Number = Field(
        0.0, ge=0, description="sigma of fresh Gaussian noise added to the input each iteration"
    )
    batch: PositiveInt = Field(1, description="inputs run through one network; the first counts")
    learning_rate: Number = Field(gt=0, description="of Adam")
    betas: tuple[
        Annotated[Number, Field(ge=0, lt=1)],
        Annotated[Number, Field(ge=0, lt=1)],
    ] = Field((0.9, 0.999), description="of Adam")

    @property
    def versions(self) -> dict[str, int]:
        """The version of each component in use."""
        return {
            "trainer": self.version,
            self.architecture.name: self.architecture.version,
            self.input.name: self.input.version,
        }
