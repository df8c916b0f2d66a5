"""How a fit is computed: plainly, as a textbook would, or fast. The mathematics is the same.

`plain` is the loop that everything is measured against: eager, NCHW, torch's default kernels and
optimizer, the loss read at each iteration. `fast` changes the order of float operations, and so in
float32 the trajectory, but not what is computed.

On a CPU it is: channels-last maps, fused optimizers, layers of `dip.engine.kernels`, and with one
thread denormal numbers taken as zero. The host reads the loss of each iteration: it costs nothing
there. A process that is there for fits alone also calls `keep_memory`, as the suite's workers and
`dip inpaint` do.

On CUDA it is: channels-last maps, fused optimizers, cuDNN's choice of kernels by trial, and an
iteration recorded once as a CUDA graph and replayed, because launching its kernels one by one takes
longer than small images need; the host reads nothing but every `READ_EVERY` iterations and at
checkpoints. With backtracking it reads each loss, because it may have to go back.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, get_args

import torch
from torch import Tensor, nn

from dip.engine.kernels import keep_output_layer_in_float32, quicken
from dip.engine.modes import exact_products
from dip.errors import InputError, unknown
from dip.options import EngineName, Precision

Work = Callable[[], None]

READ_EVERY = 25  # iterations between looks at a GPU that is otherwise not waited for
WARM_UP_CALLS = 3  # before a graph is recorded: kernels are chosen and optimizer states made


class Engine:
    """How the iterations of one fit are computed on its device.

    precision: `float32` and `float64` are what they say. `tf32` (CUDA) lets matrix products drop 13
    bits of each factor. `bfloat16` computes the network under autocast, with weights, loss, updates
    and the last layer with weights in float32, if the network may be rebuilt; of processors only
    those with such units (AMX) gain. may_rebuild: whether its layout and layers are free to change.

    Raises InputError for an unknown name, a missing device, and tf32 without a GPU.
    """

    def __init__(
        self, name: str, precision: str, device: torch.device | str, may_rebuild: bool = True
    ):
        if name not in get_args(EngineName):
            raise InputError(unknown("engine", name, get_args(EngineName)))
        if precision not in get_args(Precision):
            raise InputError(unknown("precision", precision, get_args(Precision)))
        self.device = _usable(device)
        self.on_gpu = self.device.type == "cuda"
        if precision == "tf32" and not self.on_gpu:
            raise InputError(f"precision tf32: a GPU's, not of {self.device.type}; use float32")
        self.name, self.precision = name, precision
        self.is_fast = name == "fast"
        self.dtype = torch.float64 if precision == "float64" else torch.float32
        self.rebuilds = self.is_fast and may_rebuild
        self.records_graphs = self.rebuilds and self.on_gpu
        self.read_every = READ_EVERY if self.is_fast and self.on_gpu else 1

    def prepare(self, network: nn.Module, network_input: Tensor) -> tuple[nn.Module, Tensor]:
        """Both on the device, in their layout; the network is changed in place."""
        network = network.to(self.device, self.dtype).train()
        network_input = network_input.to(self.device, self.dtype)
        if self.rebuilds:
            network_input = network_input.contiguous(memory_format=torch.channels_last)
            network = network.to(memory_format=torch.channels_last)
            if not self.on_gpu:
                quicken(network)
            if self.precision == "bfloat16":
                keep_output_layer_in_float32(network)
        return network, network_input

    def autocast(self) -> AbstractContextManager[Any]:
        """Around the network's forward pass."""
        if self.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    @contextmanager
    def switches(self) -> Iterator[None]:
        """Torch's global settings during an iteration; they are put back for everybody else."""
        if not self.on_gpu:
            was_flushing = flushes_denormals()
            # Threads that torch has beside this one would not follow, or not go back.
            torch.set_flush_denormal(
                was_flushing or (self.is_fast and torch.get_num_threads() == 1)
            )
            try:
                with exact_products():
                    yield
            finally:
                torch.set_flush_denormal(was_flushing)
            return
        cudnn: Any = torch.backends.cudnn  # whose types do not know `conv`
        matmul = torch.backends.cuda.matmul
        before = cudnn.conv.fp32_precision, matmul.fp32_precision, cudnn.benchmark
        exactly = "tf32" if self.precision == "tf32" else "ieee"
        cudnn.conv.fp32_precision = matmul.fp32_precision = exactly
        cudnn.benchmark = self.is_fast and not torch.are_deterministic_algorithms_enabled()
        try:
            with torch.cuda.device(self.device):
                yield
        finally:
            cudnn.conv.fp32_precision, matmul.fp32_precision, cudnn.benchmark = before

    def recorder(self, generators: Sequence[torch.Generator]) -> Callable[[Work], None]:
        """What runs a function; where graphs are used it records that and replays it.

        The function is the same at each call, reads and writes the same tensors, and never waits
        for the device. generators: what it draws from.
        """
        return _Recorder(generators) if self.records_graphs else _run


def _usable(device: torch.device | str) -> torch.device:
    try:
        usable = torch.device(device)
        torch.empty(0, device=usable).tolist()  # fails on `meta`, which has no numbers
    except (RuntimeError, TypeError, AssertionError) as error:  # it depends on the kind of device
        first = (str(error).splitlines() or [""])[0]
        raise InputError(f"device {device!r}: cannot be used ({first})") from None
    return usable


def _run(work: Work) -> None:
    work()


class _Recorder:
    """Records a function's CUDA kernels at one call and replays them at those after it."""

    def __init__(self, generators: Sequence[torch.Generator]):
        self.generators = generators
        self.calls = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, work: Work) -> None:
        self.calls += 1
        if self.calls <= WARM_UP_CALLS:
            # Not on the default stream, as torch's notes on CUDA graphs ask for.
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                work()
            torch.cuda.current_stream().wait_stream(side)
            return
        if self.graph is None:
            graph = torch.cuda.CUDAGraph()
            for generator in self.generators:
                graph.register_generator_state(generator)
            # Other threads may go on calling CUDA meanwhile. torch's own stream for this is of
            # the device that was the first to need one.
            with torch.cuda.graph(
                graph, stream=torch.cuda.Stream(), capture_error_mode="thread_local"
            ):
                work()
            self.graph = graph
        self.graph.replay()


@cache
def keep_memory() -> None:
    """Let glibc keep what is freed, for the rest of the process: the next iteration needs it again.

    Otherwise each large map is a mapping of its own, whose pages the kernel has to clear each time,
    which takes two fifths of a fit's time at 512x512. It changes the whole process, so the program
    calls it, and not the library. Without glibc it does nothing.
    """
    trim_threshold, mmap_max = -1, -4  # parameters of mallopt(3), as malloc.h numbers them
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(ctypes.c_int(trim_threshold), ctypes.c_int(-1))
    mallopt(ctypes.c_int(mmap_max), ctypes.c_int(0))


def flushes_denormals() -> bool:
    """Whether this thread takes denormal numbers as zero; torch can set that, but not say it."""
    denormal = torch.tensor([1e-40], dtype=torch.float32, device="cpu")
    return bool((denormal * 1.0 == 0).item())
