"""What one fit needs in memory, told before it starts.

The network runs once forward on torch's `meta` device, where tensors have shapes but no content,
and what autograd keeps for the backward pass is counted. The first such run of a process takes
seconds, in which torch loads what it has for that device; so it is left out where an upper bound
from the options alone shows that there is room.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from benchmarks.jobs.job import Job
from benchmarks.system.memory import free_bytes
from benchmarks.system.text import counted, gibibytes
from dip.options import AdamLBFGSOptions, Method, SGDOptions, WindowedVarianceOptions

# Chosen so that on a CPU, with the engine `fast`, lemsky-unet, dip-random50, dip-library-resnet and
# deep-decoder at 64 to 256 pixels are given 0.93 to 1.28 of their measured peaks. Not measured on a
# GPU.
HELD = 1.75  # bytes taken for one that autograd keeps: glibc leaves holes, and layers have copies
LARGEST_MAPS = 5  # that a backward step holds on top: gradients and their rearrangements
FIXED_BYTES = 10 * 2**20  # kernels' code, and work space of small layers

OUTPUTS_OF_A_RULE = 4  # float32 images that a rule keeps or computes with, beside its window


def check_memory(job: Job, device: str) -> None:
    """Raises MemoryError if the job's fit needs more than is free on the device now."""
    free = free_bytes(device)
    ceiling = ceiling_bytes(job)
    if free is None or ceiling is None or ceiling <= free:
        return
    needed = fit_bytes(job)
    if needed is not None and needed > free:
        raise MemoryError(
            f"needs about {gibibytes(needed)}, and {gibibytes(free)} are free: a smaller size, or"
            " fewer channels"
        )


def fit_bytes(job: Job) -> int | None:
    """The most that the job's fit has in use, beyond interpreter, torch and CUDA context.

    Too much under bfloat16, whose activations take about half. A fill counts as nothing. None if it
    cannot be told: of an imported network, which may do anything, and of sizes that overflow.
    """
    method = job.method
    if not isinstance(method, Method):
        return 0
    if ceiling_bytes(job) is None:
        return None
    channels, height, width = job.image.pixels.shape
    of_method = _method_bytes(method, channels, (height, width), _number_bytes(job))
    return None if of_method is None else of_method + _rules_bytes(job)


def ceiling_bytes(job: Job) -> int | None:
    """More than `fit_bytes` of any of the project's networks, from its options alone.

    A network has at most six convolutions in each of its levels and four besides. What they keep is
    taken as 32 maps, and 16 more for each level, of its widest layer and in the image's size.
    """
    method = job.method
    if not isinstance(method, Method):
        return 0
    chosen = method.architecture.model_dump()
    if "channels" not in chosen:
        return None
    of_levels = chosen["channels"]
    if isinstance(of_levels, int):
        widest, depth = of_levels, chosen.get("blocks") or chosen["layers"]
    else:
        widest, depth = max(*of_levels, *chosen.get("skip_channels", ()), 0), len(of_levels)
    widest = max(widest, method.input.channels)
    side = max(chosen.get("encoder_kernel", 4), chosen.get("decoder_kernel", 4))
    if chosen.get("downsampling", "").startswith("lanczos"):
        side = max(side, 12)
    weights = (6 * depth + 4) * 2 * widest**2 * side**2
    pixels = max(job.mask.size, 4**depth)  # a deep decoder's maps have sides of 2^depth at least
    if method.input.name == "learned":
        weights += method.batch * method.input.channels * pixels
    maps = (32 + 16 * depth) * method.batch * widest * pixels
    numbers = maps + _copies(method) * weights
    return numbers * _number_bytes(job) + _rules_bytes(job) + FIXED_BYTES


@cache
def _method_bytes(
    method: Method, channels: int, size: tuple[int, int], number_bytes: int
) -> int | None:
    import torch
    from torch import Tensor

    import dip

    def storage_of(tensor: Tensor) -> tuple[int, int]:
        # The address of the storage, not of its content, of which there is none on this device.
        storage = tensor.untyped_storage()
        return storage._cdata, storage.nbytes()

    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        key, count = storage_of(tensor)
        saved[key] = count
        return tensor  # which keeps the storage, so that no other one gets its address

    shape = (method.batch, method.input.channels, *method.architecture.input_size(size))
    try:
        with torch.device("meta"):
            network = dip.build_network(method.architecture, shape[1], channels, size).train()
            network_input = torch.empty(shape)
        trained: list[Tensor] = list(network.parameters())
        if method.input.name == "learned":
            trained.append(network_input.requires_grad_())
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            output = network(network_input)
        for tensor in (*network.parameters(), *network.buffers(), network_input):
            saved.pop(storage_of(tensor)[0], None)
        kept = sum(saved.values())
        largest = max(saved.values(), default=0)
        del output  # it has kept them until here
        moving = sum(each.numel() for each in trained)
    except RuntimeError:  # "Storage size calculation overflowed"
        return None
    # Noise on the input is drawn, and added into a third tensor.
    inputs = network_input.numel() * (3 if method.input_noise else 1)
    numbers = _copies(method) * moving + inputs
    activations = (HELD * kept + LARGEST_MAPS * largest) / 4  # float32 on `meta`
    return int((numbers + activations) * number_bytes) + FIXED_BYTES


def _copies(method: Method) -> int:
    """How many numbers are kept for each that is trained."""
    match method.optimizer:
        case SGDOptions(momentum=momentum):
            moments = 1 if momentum else 0
        case AdamLBFGSOptions(history=history):
            # Adam's two stay when L-BFGS takes over, which keeps steps, changes of gradients and,
            # in vectors, direction, last gradient and those of the moment.
            moments = 2 + 2 * history + 4
        case _:
            moments = 2
    weights_and_gradients = 2
    return weights_and_gradients + moments + (1 if method.backtracking else 0)


def _rules_bytes(job: Job) -> int:
    """Of the stopping rules: windows of 8-bit outputs, and images of 4 bytes a number."""
    windows = sum(rule.window for rule in job.rules if isinstance(rule, WindowedVarianceOptions))
    images = 4 * OUTPUTS_OF_A_RULE * len(job.rules)
    return (windows + images) * job.image.pixels.size


def _number_bytes(job: Job) -> int:
    return 8 if job.precision == "float64" else 4


# Beside its fit: interpreter and torch, as far as workers do not share them, or a CUDA context.
WORKER_BYTES = {"cpu": 400 * 2**20, "cuda": 600 * 2**20}


def with_memory(devices: Sequence[str], jobs: Sequence[Job]) -> tuple[list[str], list[str]]:
    """As many of the workers' devices as have memory for the largest fits side by side.

    Also why they are fewer, a line for each device. One worker is left on each in any case.
    """
    room: dict[str, int] = {}
    reasons = []
    for device, count in Counter(devices).items():
        room[device], largest = _room(device, count, jobs)
        if room[device] < count:
            reasons.append(
                f"memory: {counted(room[device], 'worker')} on {device} instead of {count}, because"
                f" the largest fit that has room takes about {gibibytes(largest)}"
            )
    kept = []
    for device in devices:
        if room[device]:
            room[device] -= 1
            kept.append(device)
    return kept, reasons


def side_by_side_bytes(device: str, count: int, needed: Iterable[int]) -> int:
    """What so many workers take at most on one device, with fits that need so much each."""
    of_worker = WORKER_BYTES[device.partition(":")[0]]
    return sum(sorted(needed)[-count:]) + count * of_worker


def _room(device: str, count: int, jobs: Sequence[Job]) -> tuple[int, int]:
    """How many workers of so many have room on the device, and the bytes of the largest fit.

    A job that does not fit alone does not count, nor one of which nothing can be told: it fails by
    itself when its turn comes, or goes well.
    """
    # One is left in any case; and to ask what is free on a GPU takes a CUDA context.
    free = free_bytes(device) if count > 1 else None
    if free is None:
        return count, 0
    # Importing torch takes seconds: not for suites of small fits.
    if side_by_side_bytes(device, count, [ceiling_bytes(job) or 0 for job in jobs]) <= free:
        return count, 0
    known = [needed for job in jobs if (needed := fit_bytes(job)) is not None]
    fitting = [each for each in known if side_by_side_bytes(device, 1, [each]) <= free]
    room = count
    while room > 1 and side_by_side_bytes(device, room, fitting) > free:
        room -= 1
    return room, max(fitting, default=0)
