"""A method: network, input, loss and optimizer, with everything else that shapes a trajectory."""

from typing import ClassVar

from pydantic import Field

from dip.errors import InputError
from dip.options.base import Count, Number, Options, PositiveInt
from dip.options.inputs import AnyInput
from dip.options.losses import LOSSES, LossName
from dip.options.networks import AnyNetwork
from dip.options.optimizers import AnyOptimizer
from dip.options.optimizers.adam import AdamOptions


class StepSchedule(Options):
    """Multiplies the learning rate by a factor at regular intervals.

    Source: T. Lemsky, deep-image-prior, `inpaint.py`, where it is off by default.
    """

    every: PositiveInt = Field(description="iterations between changes")
    factor: Number = Field(0.3, gt=0, description="factor of the learning rate")


class Backtracking(Options):
    """Returns to earlier weights when the fit suddenly gets worse.

    Source: Ulyanov et al., CVPR 2018, `restoration.ipynb`.
    """

    drop_db: Number = Field(5.0, gt=0, description="fall of the known pixels' PSNR that counts")
    every: PositiveInt = Field(50, description="iterations between checks, starting at the first")


class Method(Options):
    """Everything that shapes a fit's trajectory but the image, the hole and the seed."""

    version: ClassVar[int] = 1  # of the trainer: noise, total variation, random draws

    architecture: AnyNetwork
    input: AnyInput
    input_noise: Number = Field(
        0.0, ge=0, description="sigma of fresh Gaussian noise added to the input each iteration"
    )
    batch: Count = Field(1, description="inputs run through one network; the first counts")
    loss: LossName = Field(
        "squared", description="error over the known pixels, mean over all with the hole as zero"
    )
    total_variation: Number = Field(
        0.0, ge=0, description="weight of the output's mean absolute differences in the loss"
    )
    optimizer: AnyOptimizer = Field(AdamOptions(), description="how the loss is minimised")
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
        # Version 1 of a loss is left out, because the keys of stored runs do not contain it.
        loss_version = LOSSES[self.loss].VERSION
        return {
            "trainer": self.version,
            self.architecture.label: self.architecture.key_version,
            self.input.name: self.input.version,
            self.optimizer.name: self.optimizer.version,
            **({f"loss {self.loss}": loss_version} if loss_version > 1 else {}),
        }
