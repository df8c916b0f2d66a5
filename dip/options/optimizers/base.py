"""Base class of all optimizer options, and the protocol of an optimizer.

Adam, AdamW and SGD call torch's functions. The classes in `torch.optim` compute the same, but
making one imports torch's compiler, which takes longer than torch itself. Torch is imported when an
optimizer is made; options do without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from dip.options.base import Options

if TYPE_CHECKING:
    from torch import Tensor


class Optimizer(Protocol):
    """Updates parameters from their gradients.

    `step` is called under `torch.no_grad`. `state_dict` may return the optimizer's own tensors
    instead of copies.
    """

    def step(self, learning_rate: float, loss: Tensor) -> None: ...
    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> None: ...


# An optimizer, its learning rate, and its last iteration; None: until the end of the fit.
Stage = tuple[Optimizer, float, int | None]


class OptimizerOptions(Options, ABC):
    """Options of an optimizer.

    Attributes:
        version: increases when its steps change.
        may_rebuild: whether the engine may change the network's layout and layers.
        name: the name by which users choose the optimizer.
    """

    version: ClassVar[int] = 1
    may_rebuild: ClassVar[bool] = True
    name: str

    @abstractmethod
    def stages(
        self, parameters: list[Tensor], learning_rate: float, *, fused: bool | None, recorded: bool
    ) -> list[Stage]:
        """Make the optimizers that a fit uses one after the other; most fits use one.

        Args:
            parameters: all trained parameters.
            learning_rate: learning rate of the method.
            fused: update all tensors in one kernel; None lets torch choose.
            recorded: steps are recorded as a CUDA graph, so the host must not count them.

        Returns:
            Each optimizer with its learning rate and its last iteration.
        """
