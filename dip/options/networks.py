"""The networks that can be chosen, each with its options, their defaults and its source."""

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from dip.options.base import Channels, KernelSize, Number, Options, PositiveInt, SkipChannels
from dip.options.imports import ImportPath, source_sha256

Size = tuple[int, int]  # height, width


class Network(Options):
    """What every network's options answer."""

    version: ClassVar[int] = 1
    name: str

    @property
    def label(self) -> str:
        """What the network is called in results."""
        return self.name

    @property
    def minimum_side(self) -> int:
        """Pixels an image needs on each side.

        BatchNorm wants more than one value per channel, and a reflection is narrower than the map
        it pads.
        """
        return 1

    def input_size(self, size: Size) -> Size:
        """Height and width of the network's input for an image of that size."""
        return size


def _minimum_side(downsamplings: int, deepest_side: int) -> int:
    """The smallest side of which `deepest_side` pixels are left after so many ceiling halvings."""
    return 2**downsamplings * (deepest_side - 1) + 1


class UNetOptions(Network):
    """U-Net with any number of levels and channels per level, and a wider kernel on the way up.

    Source: T. Lemsky, deep-image-prior, `unet.py`.
    """

    name: Literal["unet"] = "unet"
    channels: Channels = Field(
        (16, 32, 64, 128, 128, 128), description="channels of each level, finest first"
    )
    encoder_kernel: KernelSize = Field(3, description="kernel size on the way down")
    decoder_kernel: KernelSize = Field(5, description="kernel size on the way up")

    @property
    def minimum_side(self) -> int:
        return _minimum_side(downsamplings=len(self.channels) - 1, deepest_side=2)


def _one_skip_per_scale(channels: Channels, skip_channels: SkipChannels) -> None:
    if len(skip_channels) != len(channels):
        raise ValueError(
            f"skip_channels has {len(skip_channels)} values for the"
            f" {len(channels)} scales of channels; give one per scale"
        )


class SkipOptions(Network):
    """Encoder-decoder with narrow convolutions as skip connections, the paper's main network.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/skip.py`.
    """

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
    downsampling: Literal["stride", "average", "max", "lanczos2", "lanczos3"] = Field(
        "stride", description="how a map shrinks; all but stride follow a convolution of stride 1"
    )
    upsampling: Literal["nearest", "bilinear"] = Field("nearest", description="how a map grows")
    padding: Literal["reflection", "zero"] = Field("reflection", description="at the borders")
    pointwise: bool = Field(
        True, strict=True, description="a 1x1 convolution after each convolution on the way up"
    )

    @model_validator(mode="after")
    def _check(self) -> "SkipOptions":
        _one_skip_per_scale(self.channels, self.skip_channels)
        return self

    @property
    def minimum_side(self) -> int:
        """Decoder convolutions stop one scale above the deepest."""
        scales = len(self.channels)
        if self.padding == "zero":
            return _minimum_side(scales, deepest_side=2)
        return max(
            _minimum_side(scales, deepest_side=max(2, self.encoder_kernel // 2 + 1)),
            _minimum_side(scales - 1, deepest_side=self.decoder_kernel // 2 + 1),
        )


class ResNetOptions(Network):
    """Residual blocks at full resolution, nothing down or up.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/resnet.py`.
    """

    name: Literal["resnet"] = "resnet"
    blocks: PositiveInt = Field(8, description="residual blocks of two 3x3 convolutions each")
    channels: PositiveInt = Field(32, description="channels of every block")

    @property
    def minimum_side(self) -> int:
        return 2


class PaperUNetOptions(Network):
    """U-Net of the paper's code; norms on the way down only.

    Source: Ulyanov et al., Deep Image Prior, CVPR 2018, `models/unet.py`: its `feature_scale` 8 and
    `more_layers` 1 are the default channels here, the last two of which are that added layer.
    """

    name: Literal["paper-unet"] = "paper-unet"
    channels: Channels = Field(
        (8, 16, 32, 64, 128, 128), description="channels of each level, finest first"
    )
    upsampling: Literal["deconvolution", "nearest", "bilinear"] = Field(
        "deconvolution", description="how a map grows; all but deconvolution precede a convolution"
    )
    norm: Literal["instance", "batch"] = Field("instance", description="on the way down")
    padding: Literal["zero", "reflection"] = Field("zero", description="at the borders")

    @property
    def minimum_side(self) -> int:
        return _minimum_side(downsamplings=len(self.channels) - 1, deepest_side=2)


class DeepDecoderOptions(Network):
    """Decoder of 1x1 convolutions and bilinear doublings; its input is as small as its depth says.

    Source: Heckel and Hand, Deep Decoder, ICLR 2019 (arXiv 1810.03982), `include/decoder.py`.
    """

    name: Literal["deep-decoder"] = "deep-decoder"
    channels: Channels = Field(
        (128, 128, 128, 128, 128),
        description="channels of each layer that is followed by a doubling, coarsest first",
    )

    def input_size(self, size: Size) -> Size:
        factor = 2 ** len(self.channels)
        return -(-size[0] // factor), -(-size[1] // factor)


class ConvDecoderOptions(Network):
    """Decoder of 3x3 convolutions, each after a nearest-neighbour resize from input to image size.

    Source: Darestani and Heckel, Accelerated MRI with un-trained neural networks, 2021 (arXiv
    2007.02471), `ConvDecoder_for_MRI.ipynb`.
    """

    name: Literal["conv-decoder"] = "conv-decoder"
    layers: Annotated[int, Field(strict=True, ge=2)] = Field(
        7, description="3x3 convolutions; the last one keeps its size"
    )
    channels: PositiveInt = Field(256, description="channels of every layer")
    input_side: PositiveInt = Field(8, description="height and width of the input")

    @property
    def minimum_side(self) -> int:
        return 2

    def input_size(self, _: Size) -> Size:
        return self.input_side, self.input_side


class PIPOptions(Network):
    """The `skip` network with 1x1 kernels throughout, made for the `fourier` input.

    Source: Shabtay et al., Positional-encoding Image Prior (arXiv 2211.14298) and its code.
    """

    name: Literal["pip"] = "pip"
    channels: Channels = Field(
        (128, 128, 128, 128, 128),
        description="channels of each scale, finest first, the same down and up",
    )
    skip_channels: SkipChannels = Field(
        (4, 4, 4, 4, 4), description="channels of each scale's skip connection; 0 = none"
    )
    upsampling: Literal["nearest", "bilinear"] = Field("bilinear", description="how a map grows")

    @model_validator(mode="after")
    def _check(self) -> "PIPOptions":
        _one_skip_per_scale(self.channels, self.skip_channels)
        return self

    @property
    def as_skip(self) -> SkipOptions:
        """The same network, as a `skip`."""
        chosen = self.model_dump(exclude={"name"})
        return SkipOptions(**chosen, encoder_kernel=1, decoder_kernel=1)

    @property
    def minimum_side(self) -> int:
        return self.as_skip.minimum_side


class SirenOptions(Network):
    """Fully connected layers with sine activations at every pixel, made for the `meshgrid` input.

    Source: Sitzmann et al., Implicit Neural Representations with Periodic Activation Functions,
    NeurIPS 2020 (arXiv 2006.09661), `modules.py`.
    """

    name: Literal["siren"] = "siren"
    channels: PositiveInt = Field(256, description="channels of every layer")
    layers: PositiveInt = Field(3, description="hidden layers between the first and the last")
    frequency: Number = Field(30.0, gt=0, description="factor inside each sine, omega_0")


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


class ImportedOptions(Network):
    """Anybody's network: a class derived from torch.nn.Module, named as `package.module:Class`.

    It is called with `options` and maps (B, input channels, H, W) to as many channels as the image
    has; of a dictionary `out` is taken, and another size is resized. It may be any Python file that
    can be imported, as one beside where the command is given. Only its own source counts in a
    run's key, not what it imports.
    """

    name: Literal["import"] = "import"
    import_: ImportPath = Field(alias="import", description="package.module:Class")
    options: Keywords = Field({}, description="keyword arguments of the class")

    @property
    def label(self) -> str:
        return self.import_


NetworkOptions = (
    UNetOptions
    | SkipOptions
    | ResNetOptions
    | PaperUNetOptions
    | DeepDecoderOptions
    | ConvDecoderOptions
    | PIPOptions
    | SirenOptions
    | ImportedOptions
)


def _with_name(network: Any) -> Any:
    """`{import: ...}` needs no name."""
    if isinstance(network, dict) and "import" in network:
        if network.get("name", "import") != "import":
            raise ValueError("a network has either a name or an import, not both")
        return {"name": "import", **network}
    return network


AnyNetwork = Annotated[NetworkOptions, Field(discriminator="name"), BeforeValidator(_with_name)]


def network_version(network: NetworkOptions) -> int | str:
    """The version of a network's numbers; for an imported one, the hash of its source.

    Raises InputError if the module of an imported network cannot be found.
    """
    if isinstance(network, ImportedOptions):
        return source_sha256(network.import_)
    return network.version
