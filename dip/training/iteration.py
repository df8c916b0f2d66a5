"""One iteration of a fit: everything that is computed, and nothing about who looks at it when.

It comes in two parts, because a fit may go back to earlier weights between them: `evaluate` ends
with the gradients, `advance` takes the step. Neither waits for the device.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from dip.engine.engine import Engine
from dip.errors import InputError
from dip.networks.imported import ImportedNetwork
from dip.options import Method
from dip.training.divergence import Watch
from dip.training.losses import Loss
from dip.training.optimizers import Descent, WeightNoise
from dip.training.seeding import generator


class Iteration:
    """The network and all that moves it.

    network, network_input: as the engine prepared them. parameters: all that are trained, a learned
    input among them; raises InputError if there is none. output: (B, C, H, W), and loss and signs
    (`Watch.signs`) of the last pass. last: of the last pass that counts the output (C, H, W)
    and its loss; it changes in place.
    """

    def __init__(
        self,
        method: Method,
        network: nn.Module,
        network_input: Tensor,
        loss_of: Loss,
        watch: Watch,
        seed: int,
        engine: Engine,
    ):
        self.method, self.engine = method, engine
        self.network, self.input = network, network_input
        self.parameters: list[Tensor] = [
            each for each in network.parameters() if each.requires_grad
        ]
        if method.input.is_learned:
            self.parameters.append(network_input.requires_grad_())
        if not self.parameters:
            raise InputError("the network has nothing to train, and its input is not a learned one")
        self.loss_of, self.watch = loss_of, watch
        self.descent = Descent(
            method, self.parameters, fused=engine.is_fast, recorded=engine.records_graphs
        )
        self.input_noise = generator(seed, "input noise", engine.device)
        self.parameter_noise = WeightNoise(network, seed, "parameter noise", engine.device)
        self.sgld_noise = WeightNoise(network, seed, "SGLD noise", engine.device)
        self.last: list[Tensor] = []

        drawn_from = [self.input_noise, self.parameter_noise.generator]
        self._run_evaluation = engine.recorder(drawn_from)
        self._run_advance = engine.recorder([self.sgld_noise.generator])

    def moving(self) -> list[Tensor]:
        """All tensors that iterations change, as they are at present: parameters and buffers."""
        return [*self.parameters, *self.network.buffers()]

    def evaluate(self) -> None:
        """From the weights to output, loss and gradients."""
        self._run_evaluation(self._evaluate)

    def advance(self, iteration: int) -> None:
        """Take the step, and let the output count. iteration: from 1."""
        if self.descent.is_the_same_each_time:
            self._run_advance(partial(self._advance, 1))
        else:
            self._advance(iteration)

    @torch.no_grad()
    def clean_output(self) -> Tensor:
        """The output (C, H, W) of the present weights for the input without noise.

        It draws nothing from the fit's generators and leaves the fit as it is.
        """
        with _as_it_was(self.network), self.engine.switches(), self.engine.autocast():
            # A network may change its input in place.
            output: Tensor = self.network(self.input.detach().clone())
        return output[0].to(self.engine.dtype)

    def _evaluate(self) -> None:
        method, x = self.method, self.input
        if method.parameter_noise:
            self.parameter_noise.add_share(method.parameter_noise)
        if method.input_noise:
            drawn = torch.randn(x.shape, generator=self.input_noise, device=x.device, dtype=x.dtype)
            x = x + method.input_noise * drawn
        with self.engine.autocast():
            output = self.network(x)
        output = output.to(self.engine.dtype)
        loss = self.loss_of(output)
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        self.output, self.loss = output.detach(), loss.detach()
        self.signs = self.watch.signs(self.loss, self.output)

    def _advance(self, iteration: int) -> None:
        learning_rate = self.descent.step(iteration, self.loss)
        if self.method.sgld_noise:
            self.sgld_noise.add(self.method.sgld_noise * learning_rate)
        raw = self.output[0]
        if not self.last:
            self.last = [raw.clone(), self.loss.clone()]
            return
        kept, loss = self.last
        kept.copy_(raw)
        loss.copy_(self.loss)


@contextmanager
def _as_it_was(network: nn.Module) -> Iterator[None]:
    """Put back what a pass changes: parameters, buffers, and what anybody's network draws from."""
    parameters = [(parameter, parameter.clone()) for parameter in network.parameters()]
    buffers = [
        (module, name, buffer, buffer.clone())
        for module in network.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    drawn = network.generator_states if isinstance(network, ImportedNetwork) else []
    try:
        yield
    finally:
        for parameter, saved in parameters:
            parameter.copy_(saved)
        for module, name, buffer, saved in buffers:
            setattr(module, name, buffer.copy_(saved))  # it may have put another in its place
        if isinstance(network, ImportedNetwork):
            network.generator_states = drawn
