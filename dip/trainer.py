"""The fit: one loop, from which every checkpoint of the trajectory is read.

Deep Image Prior (Ulyanov et al., CVPR 2018): minimise the squared error between the network's
output and the image over the known pixels. Iteration n is the n-th forward pass; its checkpoint
holds the output of that pass, before the step that follows from it, as the authors' code does.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from dip.engine.engine import Engine
from dip.engine.stopwatch import Stopwatch
from dip.errors import InputError
from dip.networks import build_network
from dip.networks.imported import ImportedNetwork
from dip.options import EngineName, Method, Precision
from dip.presets import load_preset
from dip.training.backtracking import Rewind
from dip.training.divergence import Diverged, Watch
from dip.training.inputs import make_input
from dip.training.iteration import Iteration
from dip.training.losses import Loss
from dip.training.seeding import seeded_globally
from dip.training.state import (
    OwnDraws,
    Remembers,
    State,
    StateError,
    Stream,
    Tensors,
    fit_sha256,
    load,
)
from dip.training.stopping import Stop, answers, hold_out, make_rules


@dataclass(frozen=True)
class Checkpoint:
    """The state of the restoration at one iteration.

    raw: the network's output; averaged: the exponential average of all outputs so far, which
    starts at the first. Both (C, H, W) float32 on the CPU, not clamped. An output from which
    backtracking went back counts in neither: they, and the loss, are those of the pass before.
    loss: of this iteration. seconds: spent in iterations so far, without what rules and the caller
    do. stops: by the label of each stopping rule what it answers if the fit ends here; a rule that
    could not choose yet is not there.
    """

    iteration: int
    raw: Tensor
    averaged: Tensor
    loss: float
    seconds: float
    stops: dict[str, Stop]


@dataclass(frozen=True)
class Step:
    """One iteration as it is over: its loss and the milliseconds it took on the device.

    backtracked: it went back to earlier weights instead of taking a step.
    """

    iteration: int
    loss: float
    milliseconds: float
    backtracked: bool = False


def fit(
    image: Tensor,
    mask: Tensor,
    method: Method | None = None,
    *,
    network: nn.Module | None = None,
    checkpoints: Iterable[int] | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    engine: EngineName = "fast",
    precision: Precision = "float32",
    rules: Iterable[Any] = (),
    observe: Callable[[int, Tensor, Tensor], None] = lambda *_: None,
    on_step: Callable[[Step], None] = lambda _: None,
    keep: Callable[[int, Callable[[], State]], None] = lambda *_: None,
    state: State | None = None,
) -> Iterator[Checkpoint]:
    """Fit a fresh network to the known pixels and yield its restoration at each checkpoint.

    image: (C, H, W) in [0, 1], C is 1, 3 or 4; its values inside the hole have no influence.
    mask: (1, H, W), 1 = known, 0 = hole. method: without one, that of the preset `lemsky-unet`,
    whose learned input suits any segmentation network, and that preset's iterations as the only
    checkpoint if there is none. checkpoints: iterations, each at least 1; the last one ends the
    fit. engine, precision: how it is computed (`dip.engine`). on_step is called for each iteration,
    on a GPU for several at once.

    rules: stopping rules that follow the fit without touching it, by name or with settings:
    `["es-wmv", {"es-emv": {"alpha": 0.2}}]`; with `held_out` set the rule `held-out` is there too.
    They do not end the fit: each checkpoint says what they would have kept. observe is called with
    the iteration, its output and the average, (C, H, W) on the device, as far as they count; they
    are the fit's own and stay unchanged only until it returns. On a GPU it may be called for some
    iterations after the one at which the fit is then found to have failed.

    keep is called at the end of each iteration that was looked at, all of them on a CPU, after its
    checkpoint, with the iteration and a function that gives the state the fit is in
    (`dip.training.state`), whose tensors are the fit's own until they are saved or copied. state:
    such a state, of the same image, mask, method, seed, network and engine and of the same rules or
    more; the fit goes on behind it, on a CPU to the last bit as if it had never stopped, and yields
    the checkpoints from there on.

    network: trained instead of a fresh one of the method's architecture, in place: its weights,
    dtype, device and training mode change. It starts from the weights it has, which `seed` does not
    decide then, and is given (B, method.input.channels, H, W);
    `dip.networks.imported.ImportedNetwork` says what it may answer.

    Weights, input and noise depend on `seed` alone. Raises InputError for shapes, values, devices
    and states that do not fit, Diverged when the fit has failed (`dip.training.divergence`).
    """
    if method is None:
        usual = load_preset("lemsky-unet")
        method = usual.method
        checkpoints = [usual.iterations] if checkpoints is None else checkpoints
    checkpoints = () if checkpoints is None else checkpoints
    wanted = checkpoints if isinstance(checkpoints, range) else frozenset(checkpoints)
    _check_kinds(image, mask, method, network)
    _check(image, mask, wanted, method.architecture.minimum_side if network is None else 1)
    last = max(wanted[0], wanted[-1]) if isinstance(wanted, range) else max(wanted)
    channels, size = image.shape[0], (image.shape[1], image.shape[2])
    may_rebuild = (
        network is None and method.architecture.may_rebuild and method.optimizer.may_rebuild
    )
    how = Engine(engine, precision, device, may_rebuild)
    held = hold_out(mask, method, seed)
    followed = make_rules(rules, method, image, held)
    for rule in followed.values():
        rule.to(device)
    known = (mask.to(held) - held).to(device, how.dtype)[None]
    loss_of = Loss(method, known, target=image.to(device, how.dtype)[None] * known)
    watch = Watch(loss_of, method.backtracking)

    input_size = size if network is not None else method.architecture.input_size(size)
    with seeded_globally(seed, "weights"):
        if network is None:
            network = build_network(method.architecture, method.input.channels, channels, size)
        else:
            network = ImportedNetwork(network, channels, size)
    network_input = make_input(method.input, method.batch, input_size, seed)
    network, network_input = how.prepare(network, network_input)
    parameters: list[Tensor] = [each for each in network.parameters() if each.requires_grad]
    if method.input.is_learned:
        parameters.append(network_input.requires_grad_())
    if not parameters:
        raise InputError("the network has nothing to train, and its input is not a learned one")
    step = Iteration(method, network, network_input, parameters, loss_of, watch, seed, how)

    def moving() -> list[Tensor]:
        return [*parameters, *network.buffers()]

    rewind = Rewind(moving, method.backtracking) if method.backtracking else None

    parts: dict[str, Remembers] = {
        "tensors": Tensors(moving),
        "descent": step.descent,
        "watch": watch,
        "input noise": Stream(step.input_noise),
        "parameter noise": Stream(step.parameter_noise.generator),
        "SGLD noise": Stream(step.sgld_noise.generator),
        **({"rewind": rewind} if rewind else {}),
        **({"network's draws": OwnDraws(network)} if isinstance(network, ImportedNetwork) else {}),
        **{f"rule {label}": rule for label, rule in followed.items()},
    }
    fit_name = fit_sha256(loss_of.target, known, method, seed, (engine, precision), moving())
    stopwatch = Stopwatch(device)
    iteration = 0
    if state is not None:
        load(parts, state, fit_name)
        iteration, stopwatch.seconds = state["iteration"], state["seconds"]
        step.last = [each.to(device, copy=True) for each in state["last"]]
        state = None  # or its tensors would be kept as long as the fit
        if iteration >= last:
            raise StateError(f"the state is of iteration {iteration}: no checkpoint is after it")

    def present_state() -> State:
        return {
            "of": fit_name,
            "iteration": iteration,
            "seconds": stopwatch.seconds,
            "last": step.last,
            "parts": {name: part.state_dict() for name, part in parts.items()},
        }

    unread: list[tuple[int, bool, Tensor]] = []  # iterations with whether they backtracked, signs
    while iteration < last:
        iteration += 1
        stopwatch.start()
        with how.switches():
            step.evaluate()
            backtracked = (
                rewind is not None
                and rewind.due(iteration, step.loss)
                and rewind.went_back(loss_of.fit_db(step.output))
            )
            if not backtracked:
                step.advance(iteration)
        stopwatch.stop()
        unread.append((iteration, backtracked, step.signs.clone()))
        is_due = iteration in wanted or len(unread) >= how.read_every
        if is_due:
            try:
                _look(watch, unread, stopwatch, on_step)
            except Diverged as end:
                stops = answers(followed).items()
                end.stops = {
                    label: stop for label, stop in stops if (stop.stopped_at or inf) < end.iteration
                }
                raise
            unread.clear()
        if not backtracked:
            raw, averaged, _ = step.last
            for rule in followed.values():
                rule(iteration, raw)
            observe(iteration, raw, averaged)
        if not is_due:
            continue
        if iteration in wanted:
            raw, averaged, loss = step.last
            # Copies: the caller may keep them while the average moves on.
            yield Checkpoint(
                iteration,
                raw.to("cpu", torch.float32, copy=True),
                averaged.to("cpu", torch.float32, copy=True),
                loss.item(),
                stopwatch.seconds,
                answers(followed),
            )
        keep(iteration, present_state)


def _look(
    watch: Watch,
    unread: list[tuple[int, bool, Tensor]],
    stopwatch: Stopwatch,
    on_step: Callable[[Step], None],
) -> None:
    """Read what iterations left on the device, and judge them one after the other."""
    all_signs = torch.stack([signs for _, _, signs in unread]).tolist()
    for (iteration, backtracked, _), signs, milliseconds in zip(
        unread, all_signs, stopwatch.read(), strict=True
    ):
        on_step(Step(iteration, signs[0], milliseconds, backtracked))
        watch.look(iteration, signs, backtracked)


def _check_kinds(image: object, mask: object, method: object, network: object) -> None:
    for name, value in (("image", image), ("mask", mask)):
        if not isinstance(value, Tensor):
            raise InputError(f"the {name} is a torch tensor, not {type(value).__name__}")
    if not isinstance(method, Method):
        raise InputError(f"a method is as `load_preset(...).method`, not {type(method).__name__}")
    if network is not None and not isinstance(network, nn.Module):
        raise InputError(f"a network is an instance of torch.nn.Module, not {network!r}")


def _check(image: Tensor, mask: Tensor, wanted: range | frozenset[int], minimum_side: int) -> None:
    """Refuse what does not fit together."""
    # Of a range, which may be long, its ends say enough.
    told = [wanted[0], wanted[-1]] if wanted and isinstance(wanted, range) else wanted
    if not wanted or not all(_is_iteration(each) for each in told):
        raise InputError(f"checkpoints are iterations from 1 on, not {list(told)}")
    if image.ndim != 3 or image.shape[0] not in (1, 3, 4):
        raise InputError(f"an image is (1, 3 or 4, H, W), not {tuple(image.shape)}")
    if tuple(mask.shape) != (1, *image.shape[1:]):
        raise InputError(
            f"a mask is (1, H, W) of the image's size {tuple(image.shape[1:])},"
            f" not {tuple(mask.shape)}"
        )
    if not torch.logical_or(mask == 0, mask == 1).all():
        raise InputError("a mask holds only 1 (known) and 0 (hole)")
    if not mask.any():
        raise InputError("the mask has no known pixel: nothing to fit to")
    if not (torch.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise InputError("an image has values in [0, 1]")
    if min(image.shape[1:]) < minimum_side:
        raise InputError(
            f"{image.shape[2]}x{image.shape[1]} pixels are too few for this network: it needs"
            f" {minimum_side} on each side; fewer levels need fewer"
        )


def _is_iteration(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
