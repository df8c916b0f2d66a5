"""Adam followed by L-BFGS."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dip.options.base import Number, PositiveInt
from dip.options.optimizers.adam import Adam, AdamOptions
from dip.options.optimizers.base import OptimizerOptions, Stage

if TYPE_CHECKING:
    from torch import Tensor


class AdamLBFGSOptions(OptimizerOptions):
    """Adam first, then L-BFGS at the method's learning rate, one pass per iteration.

    Source: Ulyanov et al., CVPR 2018, `utils/common_utils.py`: `optimize`.
    """

    may_rebuild: ClassVar[bool] = False  # L-BFGS takes gradients as vectors
    name: Literal["adam-lbfgs"] = "adam-lbfgs"
    adam_iterations: PositiveInt = Field(100, description="steps of Adam")
    adam_learning_rate: Number = Field(0.001, gt=0, description="learning rate of Adam")
    history: PositiveInt = Field(
        100, description="steps that L-BFGS remembers; each takes the memory of two sets of weights"
    )

    def stages(
        self, parameters: list[Tensor], learning_rate: float, *, fused: bool | None, recorded: bool
    ) -> list[Stage]:
        defaults = AdamOptions()
        adam = Adam(
            parameters, defaults.betas, defaults.weight_decay, fused=fused, recorded=recorded
        )
        return [
            (adam, self.adam_learning_rate, self.adam_iterations),
            (LBFGS(parameters, self.history), learning_rate, None),
        ]


class LBFGS:
    """L-BFGS without a line search, one update per step.

    Torch has no function for it; its class in `torch.optim` imports torch's compiler.
    """

    def __init__(self, parameters: list[Tensor], history: int):
        import torch

        # One update per call. The history is kept between calls, so this equals the single long
        # call of the source. Like there, no tolerance ends it.
        self.optimizer = torch.optim.LBFGS(
            parameters, max_iter=1, tolerance_grad=-1, tolerance_change=-1, history_size=history
        )

    def step(self, learning_rate: float, loss: Tensor) -> None:
        self.optimizer.param_groups[0]["lr"] = learning_rate
        self.optimizer.step(lambda: loss)  # it also accepts a tensor

    def state_dict(self) -> Any:
        return self.optimizer.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self.optimizer.load_state_dict(copy.deepcopy(state))  # it does not copy tensors
