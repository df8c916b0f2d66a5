"""Base class of all optimizer options, and the protocol of an optimizer.

Adam, AdamW and SGD are torch's own functions. The classes around them in `torch.optim` compute the
same, but making one imports torch's compiler, which takes longer than torch itself. Torch itself is
imported when an optimizer is made, not before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from dip.options.base import Options

if TYPE_CHECKING:
    from torch import Tensor


class Optimizer(Protocol):
    """Updates parameters from their gradients. `step` is called without gradients being recorded.

    What `state_dict` gives may be the optimizer's own tensors.
    """

    def step(self, learning_rate: float, loss: Tensor) -> None: ...
    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> None: ...


# An optimizer, its learning rate, and the last iteration it is used at; None: the last there is.
Stage = tuple[Optimizer, float, int | None]


class OptimizerOptions(Options, ABC):
    """Options of an optimizer.

    Attributes:
        version: counts up when its steps change.
        may_rebuild: whether the engine may change the network's layout and layers.
        name: what users choose the optimizer by.
    """

    version: ClassVar[int] = 1
    may_rebuild: ClassVar[bool] = True
    name: str

    @abstractmethod
    def stages(
        self, parameters: list[Tensor], learning_rate: float, *, fused: bool | None, recorded: bool
    ) -> list[Stage]:
        """Make the optimizers of a fit, which follow one another; most have only one.

        Args:
            parameters: all that are trained.
            learning_rate: the method's.
            fused: update all tensors in one kernel; None leaves the choice to torch.
            recorded: steps are recorded as a CUDA graph, so that nothing may be counted on the
                host.

        Returns:
            Each optimizer with its learning rate and the last iteration it is used at.
        """
