"""Other programs that fit a deep image prior, timed on the same network, image and iterations.

deepinv's `DeepImagePrior` (extra `peers`) trains any network on a random input with Adam. Here it
is given the network of `quick`, that preset's learning rate, and the hole as its physics. It has no
noise on the input, no average and no loss that could be read, all of which our engines compute too.
It says nothing between iterations, so that the time from one call of the network to the next is
taken, and read block by block.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.timing.cases import PEER, Case, Group, Program, block

PRESET, SIZE = "quick", 128


def peer_groups(presets: Sequence[str], cores: int) -> list[Group]:
    """The comparison, where the program is installed."""
    if find_spec(PEER) is None or PRESET not in presets:
        return []
    engines: tuple[Program, ...] = ("plain", "fast", PEER)
    cases = (Case(PRESET, SIZE, engine, threads=cores or 1) for engine in engines)
    return [Group("peers", tuple(cases))]


def fit(
    case: Case,
    image: Any,
    mask: Any,
    seed: int,
    iterations: int,
    device: str,
    note: Callable[[float], None],
) -> Any:
    """The network's output after the last iteration. image: (3, H, W); mask: (1, H, W), 1 = known.

    note: called with the milliseconds of each iteration, as they become known.
    """
    import torch
    from deepinv.models import DeepImagePrior
    from deepinv.physics import Inpainting

    import dip
    from dip.engine.stopwatch import Stopwatch

    method, size = case.method, (case.size, case.size)
    stopwatch, of_block = Stopwatch(device), block(device)

    class Timed(torch.nn.Module):
        """The network, which starts the clock whenever it is called."""

        def __init__(self) -> None:
            super().__init__()
            channels = method.input.channels
            self.network = dip.build_network(method.architecture, channels, 3, size)
            self.calls = 0

        def forward(self, x: Any) -> Any:
            if self.calls:  # one call more than iterations: the last one computes the result
                stopwatch.stop()
            if self.calls == iterations or self.calls % of_block == 0:
                for milliseconds in stopwatch.read():
                    note(milliseconds)
            self.calls += 1
            stopwatch.start()
            return self.network(x)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Timed().to(device).train()
        physics = Inpainting(img_size=tuple(image.shape), mask=mask, device=device)
        prior = DeepImagePrior(
            network,
            img_size=(method.input.channels, *size),
            iterations=iterations,
            learning_rate=method.learning_rate,
        )
        return prior(physics(image.to(device)[None]), physics)[0].detach().to("cpu", torch.float32)
