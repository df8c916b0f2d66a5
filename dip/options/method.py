"""A method: network, input, loss and optimizer, with everything else that shapes a trajectory."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dip.errors import InputError
from dip.options.base import Number, Options, PositiveInt
from dip.options.inputs import InputOptions
from dip.options.networks import AnyNetwork, network_version
from dip.options.optimizers import AdamOptions, Backtracking, OptimizerOptions, StepSchedule


class Method(Options):
    """Everything that shapes a fit's trajectory but the image, the hole and the seed."""

    version: ClassVar[int] = 1  # of the trainer: losses, noise, order of the random draws

    architecture: AnyNetwork
    input: Annotated[InputOptions, Field(discriminator="name")]
    input_noise: Number = Field(
        0.0, ge=0, description="sigma of fresh Gaussian noise added to the input each iteration"
    )
    batch: PositiveInt = Field(1, description="inputs run through one network; the first counts")
    loss: Literal["squared", "absolute"] = Field(
        "squared", description="error over the known pixels, mean over all with the hole as zero"
    )
    total_variation: Number = Field(
        0.0, ge=0, description="weight of the output's mean absolute differences in the loss"
    )
    optimizer: Annotated[OptimizerOptions, Field(discriminator="name")] = Field(
        AdamOptions(), description="how the loss is minimised"
    )
    held_out: Number = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the known pixels that is kept from the loss, for the stopping rule"
        " held-out",
    )
    learning_rate: Number = Field(gt=0, description="of the optimizer")
    schedule: StepSchedule | None = Field(None, description="of the learning rate")
    backtracking: Backtracking | None = Field(None, description="after a sudden loss of fit")
    parameter_noise: Number = Field(
        0.0,
        ge=0,
        description="sigma of noise added to convolution weights before each pass, as a share of"
        " their standard deviation",
    )
    sgld_noise: Number = Field(
        0.0,
        ge=0,
        description="sigma of noise added to convolution weights after each step, in learning"
        " rates of that step (Cheng et al., CVPR 2019: 2)",
    )

    def held_out_pixels(self, known: int) -> int:
        """How many of so many known pixels are kept from the loss.

        Raises InputError if pixels are to be, and that takes none or all.
        """
        count = round(self.held_out * known)
        if self.held_out and not 0 < count < known:
            raise InputError(
                f"held_out: {self.held_out} of {known} known pixels are {count}; it needs to be one"
                " at least, and to leave one"
            )
        return count

    @property
    def versions(self) -> dict[str, int | str]:
        """The version of each component in use.

        Raises InputError if the module of an imported network cannot be found.
        """
        return {
            "trainer": self.version,
            self.architecture.label: network_version(self.architecture),
            self.input.name: self.input.version,
            self.optimizer.name: self.optimizer.version,
        }
