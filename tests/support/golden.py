"""Golden trajectories: what each component computed when its version was last counted up.

A run's key holds the versions of its components, and nothing else tells a stored run that the code
behind it has changed. So numbers that change without a version are an error, which
`test_golden.py` finds. `python tests/support/golden.py` records them anew, and refuses where no
version has changed.

Trajectories are 20 iterations in float64 with the plain engine, where rounding does not grow: moved
by 1e-12, an image gives numbers that differ by less than 1e-8 (`test_golden.py` holds that), and
the tolerance is a hundred times that. `make numeric` computes them with three sets of vector
instructions.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import dip
from benchmarks.metrics import METRICS
from dip.fills import FILLS, Fill
from dip.options import (
    INPUTS,
    LOSSES,
    OPTIMIZERS,
    OUTPUTS,
    RULES,
    Backtracking,
    Method,
    OutputOptions,
    RuleOptions,
    parse_output,
    parse_rule,
)
from dip.options.inputs.noise import NoiseInputOptions
from dip.options.networks.skip import SkipOptions
from dip.training.divergence import Diverged, Watch
from dip.training.losses import Loss

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, if this file is run directly
from support.networks import FACTS

FILE = Path(__file__).parent / "golden.json"
TOLERANCE = 1e-6
CHECKPOINTS = (10, 20)
SIZE = (24, 33)

Numbers = dict[str, list[float]]


@dataclass(frozen=True)
class Case:
    """versions: of every component whose numbers these are. compute: on an image moved by so much.

    where: the file to count a version up in.
    """

    name: str
    versions: dict[str, int | str]
    where: str
    compute: Callable[[float], Numbers]


def picture(moved: float = 0.0) -> Tensor:
    """(3, H, W) float64 in [0, 1]: waves, an edge, and pixels of their own."""
    y, x = torch.meshgrid(
        *(torch.linspace(0, 1, n, dtype=torch.float64) for n in SIZE), indexing="ij"
    )
    waves = torch.stack([torch.sin(9 * x + 4 * y), torch.cos(7 * y - 3 * x), torch.sin(40 * x * y)])
    image = 0.503 + 0.2 * waves + 0.15 * (x + y > 1) + 0.1 * torch.sin(1e4 * (x + 7 * y))
    return image + moved


def known() -> Tensor:
    """(1, H, W), 1 = known: a box is missing, and every fifth pixel."""
    mask = torch.ones(1, *SIZE)
    mask[0, 5:13, 8:19] = 0
    mask.reshape(-1)[::5] = 0
    return mask


def box() -> Tensor:
    """The same without the pixels: patches of the image are then known entirely."""
    mask = torch.ones(1, *SIZE)
    mask[0, 5:13, 8:19] = 0
    return mask


BASE = Method(
    architecture=SkipOptions(channels=(4, 6), skip_channels=(2, 2)),
    input=NoiseInputOptions(channels=4),
    learning_rate=0.01,
)


def _with(**settings: Any) -> Method:
    return Method.model_validate({**BASE.model_dump(by_alias=True), **settings})


# Settings that suit the small image and 20 iterations, by case. Other cases use the defaults.
SETTINGS: dict[str, dict[str, Any]] = {
    "input learned": {"channels": 3},
    "input noise": {"channels": 3},
    "input meshgrid": {"start": -1},
    "input fourier": {"frequencies": 3},
    "optimizer adam": {"betas": [0.8, 0.95], "weight_decay": 0.001},
    "optimizer adam-lbfgs": {"adam_iterations": 10},
    "rule es-wmv": {"window": 4, "patience": 3},
    "rule es-emv": {"warm_up": 5, "patience": 3},
    "output mean": {"from": 5, "every": 3},
}
TRAINER: dict[str, dict[str, Any]] = {
    "input noise": {"input_noise": 0.03},
    "batch": {"batch": 2, "input": {"name": "learned", "channels": 3}},
    "total variation": {"total_variation": 0.1},
    "schedule": {"schedule": {"every": 7, "factor": 0.3}},
    "backtracking": {"backtracking": {"drop_db": 0.1, "every": 3}, "learning_rate": 0.3},
    "parameter noise": {"parameter_noise": 0.02},
    "SGLD noise": {"sgld_noise": 2},
    "held-out pixels": {"held_out": 0.1},
}

# Options of fills that are not at their defaults.
OF_FILLS: dict[str, list[dict[str, Any]]] = {
    "telea": [{"radius": 5}],
    "navier-stokes": [{"radius": 5}],
    "fsr": [{"quality": "best"}],
    "plug-and-play": [
        {"start": "biharmonic"},
        {"iterations": 5, "first_sigma": 40, "last_sigma": 5},
    ],
}


def cases() -> list[Case]:
    """A case for every component that has a version."""
    listed: list[Case] = []
    for facts in FACTS:
        for name, network in facts.golden.items():
            method = _with(architecture=network.model_dump(by_alias=True))
            listed.append(_trajectory(f"network {name}", method, _file(network.__module__)))
    for name in INPUTS:
        method = _with(input={"name": name, **SETTINGS.get(f"input {name}", {})})
        listed.append(_trajectory(f"input {name}", method, _file(method.input.__module__)))
    for name in OPTIMIZERS:
        method = _with(optimizer={"name": name, **SETTINGS.get(f"optimizer {name}", {})})
        listed.append(_trajectory(f"optimizer {name}", method, _file(method.optimizer.__module__)))
    for name in sorted(LOSSES.keys() - {BASE.loss}):  # the other cases cover the loss of BASE
        method = _with(loss=name)
        listed.append(_trajectory(f"trainer, {name} loss", method, _file(LOSSES[name].__name__)))
    for name, settings in TRAINER.items():
        listed.append(_trajectory(f"trainer, {name}", _with(**settings), "dip/options/method.py"))
    for name in RULES:
        rule = parse_rule({name: SETTINGS.get(f"rule {name}", {})})
        method = _with(held_out=0.1 if rule.needs_held_out else 0)
        listed.append(_trajectory(f"rule {name}", method, _file(rule.__module__), rule))
    for name in OUTPUTS:
        output = parse_output({name: SETTINGS.get(f"output {name}", {})})
        method = _with(input_noise=0.03)  # which a clean pass leaves out
        where = _file(output.__module__)
        listed.append(_trajectory(f"output {name}", method, where, output=output))
    for name, fill in FILLS.items():
        where = _file(fill.function.__module__)
        listed.append(Case(f"fill {name}", {name: fill.version}, where, _filled(fill)))
        for settings in OF_FILLS.get(name, []):
            option = ",".join(f"{key}={value}" for key, value in settings.items())
            compute = _filled(fill.with_settings(settings))
            listed.append(Case(f"fill {name}[{option}]", {name: fill.version}, where, compute))
    exemplar, in_box = FILLS["exemplar"], _filled(FILLS["exemplar"], box())
    where = _file(exemplar.function.__module__)
    listed.append(Case("fill exemplar, box", {"exemplar": exemplar.version}, where, in_box))
    for name, metric in METRICS.items():
        where = _file(metric.score.__module__)
        listed.append(Case(f"metric {name}", {name: metric.version}, where, _scored(name)))
    trainer: dict[str, int | str] = {"trainer": BASE.version}
    listed.append(Case("trainer, divergence", trainer, "dip/options/method.py", _thresholds))
    return listed


def _file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _trajectory(
    name: str,
    method: Method,
    where: str,
    rule: RuleOptions | None = None,
    output: OutputOptions | None = None,
) -> Case:
    """Of a rule what it chooses, of an output that output, of all else the raw output."""
    followed = {part.name: part.version for part in (rule, output) if part}
    versions = {**method.versions, **followed}
    if method.architecture.name == "import":
        del versions[method.architecture.label]  # the hash of a module of torch

    def compute(moved: float) -> Numbers:
        losses: list[float] = []
        outputs: Numbers = {}
        checkpoints = []
        with _drawn_in_float64():
            fit = dip.Fit(
                *(picture(moved), known(), method),
                engine="plain",
                precision="float64",
                rules=[rule] if rule else [],
                outputs=[output] if output else [],
            )
            for step in fit.until(*CHECKPOINTS):
                losses.append(step.loss)
                if step.iteration in CHECKPOINTS:
                    checkpoints.append(fit.checkpoint())
        for checkpoint in checkpoints:
            at = f"at {checkpoint.iteration}"
            label = output.label if output else "raw"
            outputs[f"{label} {at}"] = _sample(checkpoint.outputs[label].numpy())
            for label, stop in checkpoint.stops.items():
                if rule:
                    chosen = [float(stop.iteration), float(stop.stopped_at or 0)]
                    outputs[f"{label} {at}"] = [*chosen, *_sample(stop.output.numpy())]
        return {"losses": losses, **outputs}

    return Case(name, versions, where, compute)


@contextmanager
def _drawn_in_float64() -> Iterator[None]:
    """Weights too: float32 ones come out otherwise on a processor with other vector units."""
    with patch("dip.engine.modes.DRAWN_IN", torch.float64):
        yield


def _thresholds(moved: float) -> Numbers:
    """What a fit may draw before it counts as diverged, to a ten-millionth of each threshold."""
    target = (picture(moved) * known())[None]
    loss_of = Loss(BASE, known()[None].double(), target)
    colour = torch.full_like(target, 0.9)
    waves = torch.sin(torch.arange(target[0, 0].numel(), dtype=torch.float64)).reshape(SIZE)
    good = target + 0.1 * waves
    ramp = torch.linspace(0, 1, waves.numel(), dtype=torch.float64).reshape(SIZE)
    bad = ramp.expand(target.shape)
    ends = (waves > 0).double().expand(target.shape)

    def noticed_at(*outputs: Tensor, backtracking: Backtracking | None = None) -> float:
        """The iteration that tells, 0 if none does; the last output is drawn again and again."""
        watch = Watch(loss_of, backtracking)
        try:
            for n in range(1, 61):
                output = outputs[min(n, len(outputs)) - 1]
                watch.look(n, watch.signs(loss_of(output), output).tolist(), False)
        except Diverged as end:
            return float(end.noticed_at)
        return 0.0

    def threshold(low: float, high: float, outputs: Callable[[float], Sequence[Tensor]]) -> float:
        """The value between the two from which on the outputs fail, or no longer do."""
        fails_at_low = noticed_at(*outputs(low)) > 0
        assert fails_at_low != (noticed_at(*outputs(high)) > 0)
        while high - low > 1e-7:
            middle = (low + high) / 2
            fails = noticed_at(*outputs(middle)) > 0
            low, high = (middle, high) if fails == fails_at_low else (low, middle)
        return low

    looks = Backtracking(drop_db=5, every=20)
    return {
        "iterations looked back upon": [
            noticed_at(good, bad),
            noticed_at(good, bad, backtracking=looks),
        ],
        "share of them": [
            noticed_at(*([good, *[bad] * (every - 1)] * 60)[:60]) for every in range(6, 15)
        ],
        # Times the error of the first iteration.
        "blown up": [threshold(1.1, 2, lambda x: (target + 0.3, target + 0.3 * x))],
        # The error of the best iteration, after which it draws something else.
        "lost": [threshold(0.01, 0.5, lambda x: (target + x, bad))],
        # How far pixels are from black and white, and the share of those that are.
        "saturated": [
            threshold(0, 0.1, lambda x: (ends * (1 - x) + x / 2,)),
            threshold(0, 0.5, lambda x: (torch.where(ramp < x, 0.5, ends),)),
        ],
        # The height of waves that are still one colour.
        "one colour": [threshold(0, 0.1, lambda x: (colour + x * waves,))],
        # The error that is no better than that of the mean colour.
        "bar": [threshold(0, 0.5, lambda x: (target, target + x))],
    }


def _filled(fill: Fill, mask: Tensor | None = None) -> Callable[[float], Numbers]:
    def compute(moved: float) -> Numbers:
        here = known() if mask is None else mask
        return {"filled": _sample(fill.restore((picture(moved) * here).numpy(), here.numpy()))}

    return compute


def _scored(name: str) -> Callable[[float], Numbers]:
    """Of a blurred picture against the picture, four times as large for LPIPS."""

    def compute(moved: float) -> Numbers:
        large = torch.nn.functional.interpolate(picture(moved)[None], scale_factor=2)
        blurred = torch.nn.functional.avg_pool2d(large, 5, stride=1, padding=2)
        truth, restored = ((each[0] * 255).round().byte().numpy() for each in (large, blurred))
        mask = known()[0].numpy().repeat(2, 0).repeat(2, 1) == 1
        return {"full, hole, composited": list(METRICS[name].score(restored, truth, mask))}

    return compute


def _sample(output: NDArray[Any]) -> list[float]:
    """What any change of an output moves: mean, standard deviation and three pixels."""
    pixels = output[0, 0, 0], output[1, 9, 13], output[2, -1, -1]
    return [float(each) for each in (output.mean(), output.std(), *pixels)]


CASES = cases()


def recorded() -> dict[str, Any]:
    """By case: its versions and numbers."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return content


def findings(case: Case, entry: dict[str, Any] | None, moved: float = 0.0) -> list[str]:
    """What is wrong with a case, a line each; nothing if it computes what is recorded."""
    again = "record: python tests/support/golden.py"
    if entry is None:
        return [f"{case.name}: nothing is recorded; {again}"]
    if entry["versions"] != case.versions:
        return [f"{case.name}: recorded of {entry['versions']}, and it is {case.versions}; {again}"]
    changed = differences(entry["numbers"], case.compute(moved))
    if not changed:
        return []
    return [
        f"{case.name}: its numbers have changed and its version has not ({case.versions}): "
        f"{'; '.join(changed[:3])}. If that is meant, count up the version of what has changed"
        f" ({case.where}; the trainer's, if nearly all cases change), then {again}"
    ]


def differences(before: Numbers, now: Numbers, tolerance: float = TOLERANCE) -> list[str]:
    """Where numbers differ, and how."""
    if before.keys() != now.keys():
        return [f"{sorted(now)} instead of {sorted(before)}"]
    found = []
    for name, numbers in before.items():
        if len(numbers) != len(now[name]):
            found.append(f"{len(now[name])} {name} instead of {len(numbers)}")
            continue
        distances = np.abs(np.subtract(now[name], numbers))
        worst = int(np.argmax(np.nan_to_num(distances, nan=np.inf)))
        if not distances.max() <= tolerance:
            found.append(f"{name}[{worst}] was {numbers[worst]:.9g} and is {now[name][worst]:.9g}")
    return found


def record() -> int:
    """Write what is computed today; refuses numbers that have changed under the same version."""
    torch.set_num_threads(1)  # more take longer for pictures so small
    before, now, refused = recorded(), {}, []
    for case in CASES:
        numbers, entry = case.compute(0.0), before.get(case.name)
        if entry and entry["versions"] == case.versions:
            changed = differences(entry["numbers"], numbers)
            refused += findings(case, entry) if changed else []
            numbers = entry["numbers"]  # of the machine that recorded them first
        now[case.name] = {"versions": case.versions, "numbers": numbers}
    for line in refused:
        print(line, file=sys.stderr)
    if refused:
        return 1
    kept = [name for name in {**before, **now} if name in now]  # new cases come last
    lines = (f"{json.dumps(name)}: {json.dumps(now[name])}" for name in kept)
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{FILE.name}: {len(now)} components")
    return 0


if __name__ == "__main__":
    sys.exit(record())
