"""The fit: one loop, from which every checkpoint of the trajectory is read.

Deep Image Prior (Ulyanov et al., CVPR 2018): minimise the squared error between the network's
output and the image over the known pixels. Iteration n is the n-th forward pass; its checkpoint
holds the output of that pass, before the step that follows from it, as the authors' code does.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import torch
from torch import Tensor, nn

from dip.engine.engine import Engine
from dip.engine.modes import usual_defaults, usual_modes
from dip.engine.stopwatch import Stopwatch
from dip.errors import InputError
from dip.networks import build_network
from dip.networks.imported import ImportedNetwork
from dip.options import EngineName, Method, Precision
from dip.presets import Preset, load_preset
from dip.system.progress import shown
from dip.training.backtracking import Rewind
from dip.training.divergence import Diverged, Watch
from dip.training.iteration import Iteration
from dip.training.losses import Loss
from dip.training.outputs import Outputs
from dip.training.pictures import image_and_mask
from dip.training.seeding import check_seed, generator, seeded_globally
from dip.training.state import (
    OwnDraws,
    Remembers,
    State,
    StateError,
    Stream,
    Tensors,
    check_state,
    fit_sha256,
    load_parts,
)
from dip.training.steps import Checkpoint, Step, wanted_iterations
from dip.training.stopping import answers, hold_out, make_rules

if TYPE_CHECKING:
    from dip.training.pictures import AnyImage

DEFAULT = "quick"  # the preset of a fit without a method: it ends within minutes
DEFAULT_OF_NETWORKS = "lemsky-unet"  # whose learned input suits any segmentation network


class FitSettings(TypedDict, total=False):
    """What `fit` hands on to `Fit`, which has the defaults and says what they are."""

    network: nn.Module | None
    seed: int
    device: torch.device | str
    engine: EngineName
    precision: Precision
    rules: Iterable[Any]
    outputs: Iterable[Any]
    observe: Callable[[int, Tensor, Tensor], None]


class Fit:
    """A fit of a fresh network to the known pixels of one image, iteration by iteration.

        fit = dip.Fit(image, mask, "quick")
        for step in fit:
            if step.iteration == 200:
                break
        fit.checkpoint().averaged

    Iterating goes on where it was left. It ends after the preset's iterations, with a `Method`
    never; leave the loop when you like. On a GPU, iterations are computed in blocks of up to 25
    and yielded when their block is over; `iteration`, `checkpoint()` and `state_dict()` are then
    those of the block's last one, until all of its steps are yielded. `until` ends blocks where
    they are to be looked at.

    Weights, input and noise depend on the seed alone.

    Args:
        image: a tensor (C, H, W) with values in [0, 1]; an array (H, W) or (H, W, C) of 8- or
            16-bit unsigned integers, or of floats in [0, 1]; or a picture of Pillow. C is 1, 3 or
            4. Values inside the hole have no influence.
        mask: a tensor (1, H, W), 1 = known, 0 = hole; or an array or a picture, white = known.
        method: a preset or its name, or a `Method`. Default: `quick`; with `network`,
            `lemsky-unet`, whose learned input suits any segmentation network.
        network: trained instead of a fresh one of the method's architecture, in place: its
            weights, dtype, device and training mode change. It starts from the weights it has,
            which `seed` does not decide then, and is given (B, method.input.channels, H, W).
            `dip.networks.imported.ImportedNetwork` says what it may answer.
        seed: of weights, input, noise and held-out pixels.
        device: a torch device.
        engine: `fast`, or `plain`: the same mathematics as a textbook has it (`dip.engine`).
        precision: `float32`, `float64`, `tf32` or `bfloat16` (`dip.engine.engine.Engine`).
        rules: stopping rules that follow the fit without touching it, by name or with settings:
            `["es-wmv", {"es-emv": {"alpha": 0.2}}]`; with `held_out` set the rule `held-out` is
            there too. They do not end the fit: each checkpoint says what they would have kept.
        outputs: what checkpoints have, by name, label or with settings, besides `raw` and
            `averaged`, which are always there: `["clean", {"mean": {"from": 7000, "every": 50}}]`.
        observe: called with each iteration whose output counts, the output and the average, both
            (C, H, W) on the device. They are the fit's own and stay unchanged only until it
            returns. On a GPU it may be called for some iterations after the one at which the fit
            is then found to have failed.

    Attributes:
        iteration: how many are finished.
        iterations: where iterating ends; None for a `Method`.

    Raises:
        InputError: shapes, values, settings or devices that do not fit.
        Diverged: the fit has failed; while iterating (`dip.training.divergence`).
    """

    def __init__(
        self,
        image: "AnyImage",
        mask: "AnyImage",
        method: Method | Preset | str | None = None,
        *,
        network: nn.Module | None = None,
        seed: int = 0,
        device: torch.device | str = "cpu",
        engine: EngineName = "fast",
        precision: Precision = "float32",
        rules: Iterable[Any] = (),
        outputs: Iterable[Any] = ("raw", "averaged"),
        observe: Callable[[int, Tensor, Tensor], None] = lambda *_: None,
    ):
        if not callable(observe):
            raise InputError(f"`observe` is a function, not {observe!r}")
        method, self.iterations = _chosen(method, network)
        is_ours = network is None and method.architecture.may_rebuild
        may_rebuild = is_ours and method.optimizer.may_rebuild
        self._engine = Engine(engine, precision, device, may_rebuild)
        self._observe = observe
        self._stopwatch = Stopwatch(self._engine.device)
        # Of iterations that a GPU is still at: number, whether it backtracked, and signs.
        self._unread: list[tuple[int, bool, Tensor]] = []
        self._ready: deque[Step] = deque()  # steps that are finished, and not yet yielded
        self._failure: Diverged | StateError | None = None  # why the fit cannot be used any more
        self.iteration = 0
        with usual_defaults(), usual_modes(self._engine.device):
            self._set_up(image, mask, method, network, check_seed(seed), rules, outputs)

    def _set_up(
        self,
        image: "AnyImage",
        mask: "AnyImage",
        method: Method,
        network: nn.Module | None,
        seed: int,
        rules: Iterable[Any],
        outputs: Iterable[Any],
    ) -> None:
        """Make network, input, loss, rules and outputs, as they are before the first iteration."""
        image, mask = image_and_mask(image, mask)
        size = (image.shape[1], image.shape[2])
        _check_side(size, method, network)
        place = self._engine.device, self._engine.dtype
        held = hold_out(mask, method, seed)
        self._rules = make_rules(rules, method, image, held)
        for rule in self._rules.values():
            rule.to(self._engine.device)
        self._outputs = Outputs(outputs, tuple(image.shape), *place)
        known = (mask.to(held) - held).to(*place)[None]
        loss_of = Loss(method, known, target=image.to(*place)[None] * known)
        self._watch = Watch(loss_of, method.backtracking)
        with seeded_globally(seed, "weights"):
            trained = _network(method, network, len(image), size)
        input_size = method.architecture.input_size(size) if network is None else size
        # On the CPU, so that one seed is one input on every device.
        start = method.input.make(method.batch, input_size, generator(seed, "input"))
        prepared = self._engine.prepare(trained, start)
        self._pass = Iteration(method, *prepared, loss_of, self._watch, seed, self._engine)
        backtracking = method.backtracking
        self._rewind = Rewind(self._pass.moving, backtracking) if backtracking else None
        shapes = [list(tensor.shape) for tensor in self._pass.moving()]
        arithmetic = self._engine.name, self._engine.precision
        self._name = fit_sha256(loss_of.target, known, method, seed, arithmetic, shapes)

    def __iter__(self) -> Iterator[Step]:
        return self._steps(self.iterations, frozenset())

    def until(self, *iterations: int) -> Iterator[Step]:
        """Iterate until the last of these iterations.

        Args:
            iterations: where blocks of a GPU end, so that each can be looked at.

        Returns:
            Each iteration as it is finished.

        Raises:
            InputError: there is none, or one is less than 1.
            Diverged: the fit has failed (`dip.training.divergence`).
        """
        last, wanted = wanted_iterations(iterations)
        return self._steps(last, wanted)

    def checkpoint(self) -> Checkpoint:
        """The restoration as it is now: copies, which do not change as the fit goes on.

        Raises:
            InputError: no iteration is finished yet.
            Diverged: the fit has failed.
        """
        self._settle()
        if not self.iteration:
            raise InputError("there is no checkpoint before the first iteration")
        _, loss = self._pass.last
        with usual_modes(self._engine.device):
            return Checkpoint(
                self.iteration,
                self._outputs.at_checkpoint(self._pass),
                loss.item(),
                self._stopwatch.seconds,
                answers(self._rules),
            )

    def state_dict(self) -> State:
        """The state of the fit: all that the rest of it depends on, for `torch.save`.

        Its tensors are the fit's own, and change as it goes on, until they are saved or copied.

        Raises:
            Diverged: the fit has failed.
        """
        self._settle()
        return {
            "of": self._name,
            "output_versions": self._outputs.versions,
            "iteration": self.iteration,
            "seconds": self._stopwatch.seconds,
            "last": self._pass.last,
            "parts": {name: part.state_dict() for name, part in self._parts().items()},
        }

    def load_state_dict(self, state: State) -> None:
        """Go on from a state; on a CPU to the last bit as if the fit had never stopped.

        Args:
            state: of a fit of the same image, mask, method, seed, network and engine and of the
                same rules and outputs or more. It stays as it is.

        Raises:
            StateError: it is of another fit, or this one has begun. If the state turns out to be
                of another version of the program, this fit cannot be used any more.
        """
        if self.iteration:
            raise StateError("this fit has begun; load the state into a new one")
        check_state(state, self._name, self._parts(), self._outputs.versions)
        device = self._engine.device
        with usual_modes(device):
            try:
                load_parts(self._parts(), state)
            except StateError as error:
                self._failure = error
                raise
            self._pass.last = [tensor.to(device, copy=True) for tensor in state["last"]]
        self.iteration, self._stopwatch.seconds = state["iteration"], state["seconds"]

    def _parts(self) -> dict[str, Remembers]:
        """Everything that iterations change."""
        one = self._pass
        parts: dict[str, Remembers] = {
            "tensors": Tensors(one.moving),
            "descent": one.descent,
            "watch": self._watch,
            "input noise": Stream(one.input_noise),
            "parameter noise": Stream(one.parameter_noise.generator),
            "SGLD noise": Stream(one.sgld_noise.generator),
            **{rule.part_name: rule for rule in self._rules.values()},
            **{f"output {label}": part for label, part in self._outputs.averages.items()},
        }
        if self._rewind:
            parts["rewind"] = self._rewind
        if isinstance(one.network, ImportedNetwork):
            parts["network's draws"] = OwnDraws(one.network)
        return parts

    def _steps(self, last: int | None, wanted: Container[int]) -> Iterator[Step]:
        """last: the iteration to end with; wanted: those that end a block."""
        while True:
            while self._ready:
                yield self._ready.popleft()
            if self._failure:
                raise self._failure
            if last is not None and self.iteration >= last:
                return
            with usual_modes(self._engine.device):
                counts = self._iterate(last, wanted)
            if counts:
                self._observe(self.iteration, self._pass.last[0], self._outputs.averaged)

    def _iterate(self, last: int | None, wanted: Container[int]) -> bool:
        """One iteration, and what follows from it; returns whether its output counts."""
        backtracked = self._compute()
        is_over = self.iteration == last or self.iteration in wanted
        if is_over or len(self._unread) >= self._engine.read_every:
            self._read()
        if backtracked or self._failure:
            return False
        raw = self._pass.last[0]
        self._outputs.follow(self.iteration, raw)
        for rule in self._rules.values():
            rule(self.iteration, raw)
        return True

    def _compute(self) -> bool:
        """One iteration, without waiting for a GPU; returns whether it backtracked."""
        one, iteration = self._pass, self.iteration + 1
        self._stopwatch.start()
        with self._engine.switches():
            one.evaluate()
            backtracked = (
                self._rewind is not None
                and self._rewind.due(iteration, one.loss)
                and self._rewind.went_back(one.loss_of.fit_db(one.output))
            )
            if not backtracked:
                one.advance(iteration)
        self._stopwatch.stop()
        self._unread.append((iteration, backtracked, one.signs.clone()))
        self.iteration = iteration
        return backtracked

    def _read(self) -> None:
        """Read what iterations left on the device, and judge them one after the other."""
        all_signs = torch.stack([signs for _, _, signs in self._unread]).tolist()
        unread, self._unread = self._unread, []
        for (iteration, backtracked, _), signs, milliseconds in zip(
            unread, all_signs, self._stopwatch.read(), strict=True
        ):
            step = Step(iteration, signs[0], milliseconds, backtracked)
            try:
                self._watch.look(iteration, signs, backtracked)
            except Diverged as failure:
                failure.step = step
                failure.stops = {
                    label: stop
                    for label, stop in answers(self._rules).items()
                    if (stop.stopped_at or inf) < failure.iteration
                }
                self._failure = failure
                return
            self._ready.append(step)

    def _settle(self) -> None:
        """Read what a loop that was broken off has left; raise what the fit has failed with."""
        if self._unread:
            self._read()
        if self._failure:
            raise self._failure


def fit(
    image: "AnyImage",
    mask: "AnyImage",
    method: Method | Preset | str | None = None,
    *,
    checkpoints: Iterable[int] | None = None,
    progress: bool = False,
    **settings: Unpack[FitSettings],
) -> Iterator[Checkpoint]:
    """Fit a fresh network to the known pixels and yield its restoration at each checkpoint.

    Args:
        image, mask, method: as `Fit` takes them.
        checkpoints: iterations, each at least 1; the last one ends the fit. Default: the preset's
            number, as the only one; needed with a `Method`.
        progress: show a bar on standard error.
        settings: network, seed, device, engine, precision, rules, outputs and observe, as
            `Fit` takes them.

    Returns:
        The checkpoints, computed as they are asked for.

    Raises:
        InputError: shapes, values, settings or devices that do not fit; at once.
        Diverged: the fit has failed; while iterating (`dip.training.divergence`).
    """
    begun = Fit(image, mask, method, **settings)
    if checkpoints is None:
        if begun.iterations is None:
            raise InputError("a method does not say how long to fit; name the `checkpoints`")
        checkpoints = [begun.iterations]
    last, wanted = wanted_iterations(checkpoints)
    steps = begun._steps(last, wanted)
    return _checkpoints(begun, shown(steps, last) if progress else steps, wanted)


def _checkpoints(begun: Fit, steps: Iterator[Step], wanted: Container[int]) -> Iterator[Checkpoint]:
    for step in steps:
        if step.iteration == begun.iteration and step.iteration in wanted:
            yield begun.checkpoint()


def _chosen(method: Method | Preset | str | None, network: object) -> tuple[Method, int | None]:
    """The method, and how many iterations its preset has."""
    if network is not None and not isinstance(network, nn.Module):
        raise InputError(f"a network is an instance of torch.nn.Module, not {network!r}")
    if method is None:
        method = DEFAULT if network is None else DEFAULT_OF_NETWORKS
    if isinstance(method, str):
        method = load_preset(method)
    if isinstance(method, Preset):
        return method.method, method.iterations
    if not isinstance(method, Method):
        raise InputError(f"a method is a preset, its name or a Method, not {type(method).__name__}")
    return method, None


def _network(
    method: Method, network: nn.Module | None, channels: int, size: tuple[int, int]
) -> nn.Module:
    if network is not None:
        if any(tensor.is_inference() for tensor in network.state_dict().values()):
            raise InputError("the network was made in torch.inference_mode; make it outside")
        return ImportedNetwork(network, channels, size)
    return build_network(method.architecture, method.input.channels, channels, size)


def _check_side(size: tuple[int, int], method: Method, network: nn.Module | None) -> None:
    needed = method.architecture.minimum_side if network is None else 1
    if min(size) < needed:
        raise InputError(
            f"{size[1]}x{size[0]} pixels are too few for this network: it needs"
            f" {needed} on each side; fewer levels need fewer"
        )
