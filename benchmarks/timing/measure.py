"""Measures one case: a process of its own runs its fits when it is told to.

Each engine has its own processes, because what one does to a process (how its memory is kept) may
not serve the other.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.system.processes import process_context
from benchmarks.timing import deepinv_peer
from benchmarks.timing.cases import PEER, Case, Program, block
from dip.options import EngineName

if TYPE_CHECKING:
    import torch

IMAGE = "astronaut"  # of scikit-image
MISSING = 0.5
FEWEST_BLOCKS = 3  # of a fit
PEAK_SECONDS = 2.0
Task = Program | Literal["peak"]  # what a process measures: fits, or matrix products


@dataclass(frozen=True)
class Measured:
    """One fit: milliseconds of each iteration without those of the warm-up, in their order.

    began, ended: by the system's clock, which all processes share, around those same iterations
    with all that the trainer does between them. psnr_hole: dB of the output of the last iteration.
    peak_memory_mib: of the process on a CPU, of the allocator on a GPU.
    """

    iterations: int
    began: float
    ended: float
    first_milliseconds: float
    milliseconds: tuple[float, ...]
    peak_memory_mib: float | None
    psnr_hole: float


class Bench:
    """A process that measures cases of one engine on one device; its first result is "ready"."""

    def __init__(self, engine: Task, device: str):
        context = process_context()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, engine, device), daemon=True)
        self.process.start()
        theirs.close()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call `measured` or `peak_gflops`, with the device behind these arguments."""
        with suppress(BrokenPipeError):  # the result will say so
            self.connection.send((function, arguments))

    def result(self) -> Any:
        """What was begun last; a string says why there is nothing."""
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return f"its process ended with exit code {self.process.exitcode}"

    def close(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, engine: Task, device: str) -> None:
    import torch

    from dip.engine.engine import keep_memory

    if engine == "fast" and device == "cpu":
        keep_memory()
    if engine == "plain" or engine == "fast":  # the first fit of a process is not timed
        measured(Case("quick", 48, engine), 0, fewest(device), device)
    connection.send("ready")
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send(function(*arguments, device))
        except Exception as error:  # whatever a case does, the next one is timed
            torch.cuda.empty_cache()
            connection.send(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")


def fewest(device: str) -> int:
    """The smallest number of iterations of a fit, warm-up included."""
    return FEWEST_BLOCKS * block(device)


def measured(case: Case, seed: int, iterations: int, device: str) -> Measured:
    """One fit of the case. iterations: at least `fewest`, on a GPU whole blocks."""
    import numpy as np
    import torch

    from benchmarks.metrics import psnr
    from benchmarks.store.pictures import to_8bit
    from benchmarks.system.memory import PeakMemory
    from datasets import load_images, make_mask
    from datasets.masks.scattered import Bernoulli

    (image,) = load_images("scikit-image", [IMAGE], size=case.size)
    mask = make_mask(Bernoulli(missing=MISSING), image)
    tensors = (
        torch.from_numpy(image.pixels / np.float32(255)),
        torch.from_numpy(mask.astype(np.float32)),
    )
    torch.set_num_threads(case.threads)
    warm_up = block(device)
    memory = PeakMemory(device)
    times: list[float] = []
    noted: list[float] = []  # when

    def note(milliseconds: float) -> None:
        times.append(milliseconds)
        noted.append(time.monotonic())

    how = (*tensors, seed, iterations, device, note)
    with torch.cuda.device(device) if device.startswith("cuda") else nullcontext():
        if case.engine == PEER:
            restored = deepinv_peer.fit(case, *how)
        else:
            restored = _fit(case, case.engine, *how)
    return Measured(
        iterations=len(times),
        began=noted[warm_up - 1],
        ended=noted[-1],
        first_milliseconds=times[0],
        milliseconds=tuple(times[warm_up:]),
        peak_memory_mib=memory.mib(),
        psnr_hole=psnr.score(to_8bit(restored.numpy()), image.pixels, mask[0] == 1).hole,
    )


def _fit(
    case: Case,
    engine: EngineName,
    image: "torch.Tensor",
    mask: "torch.Tensor",
    seed: int,
    iterations: int,
    device: str,
    note: Callable[[float], None],
) -> "torch.Tensor":
    """The last iteration's output. note: called with the milliseconds of each."""
    import dip

    fit = dip.Fit(
        *(image, mask, case.method),
        seed=seed,
        device=device,
        engine=engine,
        precision=case.precision,
    )
    for step in fit.until(iterations):
        note(step.milliseconds)
    return fit.checkpoint().raw


def peak_gflops(precision: str, threads: int, device: str) -> float:
    """Peak speed of products of two square matrices, in 10^9 operations per second.

    The matrices have 2048 rows, on a GPU 8192. A slow device multiplies smaller ones: without
    bfloat16 instructions one product of 2048 rows takes a minute.
    """
    import torch

    from dip.engine.engine import Engine

    torch.set_num_threads(threads)
    on_gpu = device.startswith("cuda")
    largest = 8192 if on_gpu else 2048
    dtype = {"bfloat16": torch.bfloat16, "float64": torch.float64}.get(precision, torch.float32)

    def fastest(side: int, budget: float) -> float:
        """Seconds of the fastest product; the first one, which is slow, does not count."""
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        product = a @ b
        best = float("inf")
        ends = time.perf_counter() + budget
        while best == float("inf") or time.perf_counter() < ends:
            if on_gpu:
                torch.cuda.synchronize(device)
            began = time.perf_counter()
            torch.matmul(a, b, out=product)
            if on_gpu:
                torch.cuda.synchronize(device)
            best = min(best, time.perf_counter() - began)
        return best

    with Engine("plain", precision, device).switches():
        side = 256
        # A product of twice the side takes eight times as long; several must fit into PEAK_SECONDS.
        while side < largest and fastest(side, 0.01) < PEAK_SECONDS / 50:
            side *= 2
        return 2 * side**3 / fastest(side, PEAK_SECONDS) / 1e9


def parameters(case: Case) -> int:
    """Of the network, without a learned input."""
    return sum(each.numel() for each in _network(case).parameters())


def gflop(case: Case) -> float:
    """Operations of one iteration, forward and backward, as torch's counter has them, over 10^9.

    It counts convolutions and matrix products, a multiplication and an addition as two.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    method, size = case.method, (case.size, case.size)
    network = _network(case).to("meta")
    shape = (method.batch, method.input.channels, *method.architecture.input_size(size))
    x = torch.zeros(shape, device="meta", requires_grad=method.input.is_learned)
    with FlopCounterMode(display=False) as counter:
        network.train()(x).sum().backward()
    return counter.get_total_flops() / 1e9


def _network(case: Case) -> "torch.nn.Module":
    import dip

    method = case.method
    return dip.build_network(method.architecture, method.input.channels, 3, (case.size, case.size))
