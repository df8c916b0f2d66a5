"""How a fit descends: optimizers, a step schedule and backtracking, with defaults and sources."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dip.options.base import Number, Options, PositiveInt

Beta = Annotated[Number, Field(ge=0, lt=1)]


class AdamOptions(Options):
    """Adam. Source: Kingma and Ba, ICLR 2015."""

    version: ClassVar[int] = 1
    name: Literal["adam"] = "adam"
    betas: tuple[Beta, Beta] = Field((0.9, 0.999), description="decay of the two moments")
    weight_decay: Number = Field(0.0, ge=0, description="added to the gradient, times the weight")


class AdamWOptions(Options):
    """Adam with decoupled weight decay. Source: Loshchilov and Hutter, ICLR 2019."""

    version: ClassVar[int] = 1
    name: Literal["adamw"] = "adamw"
    betas: tuple[Beta, Beta] = Field((0.9, 0.999), description="decay of the two moments")
    weight_decay: Number = Field(
        0.01, ge=0, description="a weight's loss per unit of learning rate"
    )


class SGDOptions(Options):
    """Gradient descent with momentum. Source: Sutskever et al., ICML 2013."""

    version: ClassVar[int] = 1
    name: Literal["sgd"] = "sgd"
    momentum: Number = Field(0.9, ge=0, lt=1, description="share of the last step that is kept")


class AdamLBFGSOptions(Options):
    """Some steps of Adam, then L-BFGS at the method's learning rate, one pass per iteration.

    Source: Ulyanov et al., CVPR 2018, `utils/common_utils.py`: `optimize`.
    """

    version: ClassVar[int] = 1
    name: Literal["adam-lbfgs"] = "adam-lbfgs"
    adam_iterations: PositiveInt = Field(100, description="steps of Adam")
    adam_learning_rate: Number = Field(0.001, gt=0, description="of Adam")
    history: PositiveInt = Field(
        100, description="steps that L-BFGS remembers, each in the memory of two sets of weights"
    )


OptimizerOptions = AdamOptions | AdamWOptions | SGDOptions | AdamLBFGSOptions


class StepSchedule(Options):
    """A learning rate that is multiplied by a factor every so many iterations.

    Source: T. Lemsky, deep-image-prior, `inpaint.py`, where it is off by default.
    """

    every: PositiveInt = Field(description="iterations between changes")
    factor: Number = Field(0.3, gt=0, description="what the learning rate is multiplied by")


class Backtracking(Options):
    """On a sudden loss of fit, return to the weights of the last look.

    Source: Ulyanov et al., CVPR 2018, `restoration.ipynb`.
    """

    drop_db: Number = Field(5.0, gt=0, description="fall of the known pixels' PSNR that counts")
    every: PositiveInt = Field(50, description="iterations between looks, the first at the first")
