"""Losses and descent: each against a reference that is written differently."""

from functools import partial
from typing import Any

import pytest
import torch
from support.golden import SETTINGS
from torch import Tensor, nn

import dip
from dip.options import LOSSES, OPTIMIZERS, Backtracking, Method
from dip.options.inputs.noise import NoiseInputOptions
from dip.options.networks.skip import SkipOptions
from dip.training.backtracking import Rewind
from dip.training.losses import Loss, total_variation
from dip.training.optimizers import Descent, WeightNoise
from dip.training.seeding import generator, seeded_globally

METHOD = Method(
    architecture=SkipOptions(channels=(4, 4), skip_channels=(4, 0)),
    input=NoiseInputOptions(channels=4),
    learning_rate=0.01,
)
LEARNING_RATES = {"sgd": 1, "adam-lbfgs": 0.1}  # these optimizers are slow at 0.01


def _with(**settings: Any) -> Method:
    return dip.with_settings(METHOD, settings)


def _image_and_mask() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    image = torch.rand((3, 17, 20), generator=generator)
    return image, (torch.rand((1, 17, 20), generator=generator) > 0.3).float()


@pytest.mark.parametrize(
    "settings",
    [
        *({"loss": name} for name in LOSSES if name != METHOD.loss),
        {"total_variation": 0.01},
        *(
            {
                "optimizer": {"name": name, **SETTINGS.get(f"optimizer {name}", {})},
                "learning_rate": LEARNING_RATES.get(name, METHOD.learning_rate),
            }
            for name in OPTIMIZERS
        ),
        {"schedule": {"every": 20}},
        {"backtracking": {}},
        {"parameter_noise": 0.02},
        {"sgld_noise": 2},
        {"input_noise": 0.03, "batch": 2},
    ],
    ids=lambda settings: str(next(iter(settings.items()))),
)
def test_every_setting_lowers_the_loss_and_changes_the_fit(settings: dict[str, Any]) -> None:
    image, mask = _image_and_mask()
    method = dip.with_settings(METHOD, settings)
    first, last = dip.fit(image, mask, method, checkpoints=[1, 60])
    assert last.loss < 0.9 * first.loss
    (plain,) = dip.fit(image, mask, METHOD, checkpoints=[60])
    changes = settings != {"backtracking": {}}  # which has nothing to do in a calm fit
    assert torch.equal(last.raw, plain.raw) != changes
    (again,) = dip.fit(image, mask, method, checkpoints=[60])
    assert torch.equal(last.raw, again.raw)


def test_losses_see_known_pixels_only_and_the_whole_output_is_smoothed() -> None:
    generator = torch.Generator().manual_seed(0)
    target, output = torch.rand((2, 1, 3, 5, 6), generator=generator)
    known = torch.zeros(1, 1, 5, 6)
    known[..., :3] = 1
    target = target * known
    absolute = Loss(_with(loss="absolute"), known, target)(output)
    expected = (output - target)[..., :3].abs().sum() / output.numel()
    assert absolute.item() == pytest.approx(expected.item(), rel=1e-6)
    smooth = Loss(_with(loss="absolute", total_variation=0.5), known, target)(output)
    added = 0.5 * total_variation(output)
    assert smooth.item() == pytest.approx(absolute.item() + added.item(), rel=1e-6)


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(4.0).expand(1, 2, 3, 4)  # one more at each pixel to the right
    assert total_variation(ramp).item() == 1
    assert total_variation(ramp.transpose(2, 3) * 2).item() == 2
    assert total_variation(ramp[..., :1, :]).item() == 1  # no neighbours above or below


def test_fit_is_the_psnr_of_the_known_pixels() -> None:
    target = torch.zeros(1, 1, 2, 2)
    output = torch.full((1, 1, 2, 2), 0.1)
    assert Loss(METHOD, torch.ones(1, 1, 2, 2), target).fit_db(output) == pytest.approx(20)


def _steps(method: Method, count: int, gradient: float = 1.0) -> list[float]:
    """How far each step moves a parameter of 1 with a constant gradient."""
    parameter = torch.ones(1, requires_grad=True)
    descent = Descent(method, [parameter])
    moved = []
    for iteration in range(1, count + 1):
        before = parameter.item()
        parameter.grad = torch.full((1,), gradient)
        descent.step(iteration, torch.tensor(1.0))
        moved.append(before - parameter.item())
    return moved


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("settings", "reference"),
    [
        ({"name": "adam", "betas": (0.8, 0.95)}, partial(torch.optim.Adam, betas=(0.8, 0.95))),
        ({"name": "adam", "weight_decay": 0.1}, partial(torch.optim.Adam, weight_decay=0.1)),
        ({"name": "adamw"}, torch.optim.AdamW),
        ({"name": "sgd"}, partial(torch.optim.SGD, momentum=0.9)),
        ({"name": "sgd", "momentum": 0}, torch.optim.SGD),
    ],
    ids=["adam betas", "adam decay", "adamw", "sgd", "sgd without momentum"],
)
def test_steps_are_those_of_torchs_classes_to_the_last_bit(
    settings: dict[str, Any], reference: Any, fused: bool
) -> None:
    generator = torch.Generator().manual_seed(3)
    start = [torch.rand(shape, generator=generator) for shape in ((4, 3), (5,), (2,))]
    ours, theirs = ([each.clone().requires_grad_() for each in start] for _ in range(2))
    descent = Descent(_with(optimizer=settings, learning_rate=0.03), ours, fused=fused)
    optimizer = reference(theirs, lr=0.03, fused=fused or None)
    for iteration in range(1, 8):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.rand(one.shape, generator=generator) - 0.5
            other.grad = one.grad.clone()
        if iteration == 1 and settings["name"] != "sgd":  # the last one is trained a step later
            ours[2].grad = theirs[2].grad = None
        descent.step(iteration, torch.tensor(1.0))
        optimizer.step()
        assert all(map(torch.equal, ours, theirs))


def test_a_schedule_multiplies_the_learning_rate() -> None:
    method = _with(optimizer={"name": "sgd", "momentum": 0}, learning_rate=0.1)
    assert _steps(method, 3) == pytest.approx([0.1] * 3, rel=1e-5)
    scheduled = dip.with_settings(method, {"schedule": {"every": 2, "factor": 0.3}})
    assert _steps(scheduled, 5) == pytest.approx([0.1, 0.1, 0.03, 0.03, 0.009], rel=1e-4)


def test_momentum_and_weight_decay_are_applied() -> None:
    momentum = _with(optimizer={"name": "sgd", "momentum": 0.5}, learning_rate=0.1)
    assert _steps(momentum, 3) == pytest.approx([0.1, 0.15, 0.175], rel=1e-4)
    decoupled = _with(optimizer={"name": "adamw", "weight_decay": 0.5}, learning_rate=0.1)
    assert _steps(decoupled, 1, gradient=0.0) == pytest.approx([0.05], rel=1e-4)
    # In Adam the decay is a gradient like any other, and its size is normalised away.
    added = _with(optimizer={"name": "adam", "weight_decay": 0.5}, learning_rate=0.1)
    assert _steps(added, 1, gradient=0.0) == pytest.approx([0.1], rel=1e-4)
    assert _steps(_with(learning_rate=0.1), 1, gradient=0.0) == [0]


def test_lbfgs_is_the_sources_one_long_call() -> None:
    """Ulyanov et al., `optimize`: Adam, then one `step` of L-BFGS with as many inner iterations."""
    image, mask = _image_and_mask()
    method = _with(
        optimizer={"name": "adam-lbfgs", "adam_iterations": 3, "history": 5}, learning_rate=0.5
    )
    found = [
        checkpoint.loss
        for checkpoint in dip.fit(
            image, mask, method, checkpoints=range(1, 13), precision="float64"
        )
    ]

    with seeded_globally(0, "weights"):
        network = dip.build_network(method.architecture, 4, 3, (17, 20)).double()
    x = method.input.make(1, (17, 20), generator(0, "input")).double()
    losses = []

    def closure() -> Tensor:
        network.zero_grad()
        loss = (((network(x) - image.double()) * mask) ** 2).mean()
        loss.backward()
        losses.append(loss.item())
        return loss

    parameters = list(network.parameters())
    adam = torch.optim.Adam(parameters, lr=0.001)
    for _ in range(3):
        adam.step(closure)
    torch.optim.LBFGS(
        parameters, lr=0.5, max_iter=9, tolerance_grad=-1, tolerance_change=-1, history_size=5
    ).step(closure)
    assert found == pytest.approx(losses, rel=1e-9)


def test_weight_noise_has_the_size_it_says_and_reaches_convolutions_only() -> None:
    network = nn.Sequential(nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64))
    convolution, norm = network[0], network[1]
    before = convolution.weight.detach().clone()
    noise = WeightNoise(network, 0, "test", "cpu")
    noise.add(0.5)
    assert (convolution.weight - before).std().item() == pytest.approx(0.5, rel=0.05)
    before, share = convolution.weight.detach().clone(), convolution.weight.std().item() / 50
    noise.add_share(1 / 50)
    assert (convolution.weight - before).std().item() == pytest.approx(share, rel=0.05)
    assert torch.equal(norm.weight, torch.ones(64))


class _Watched(nn.Module):
    """One convolution that notes the weights it runs with, and is broken at one pass."""

    def __init__(self, broken_at: int = 0, broken_by: float = 100):
        super().__init__()
        self.convolution = nn.Conv2d(4, 3, 3, padding=1)
        self.broken_at = broken_at
        self.broken_by = broken_by
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        if len(self.seen) + 1 == self.broken_at:
            with torch.no_grad():
                self.convolution.weight += self.broken_by
        self.seen.append(self.convolution.weight.detach().clone())
        return self.convolution(x)


@pytest.mark.parametrize(
    ("settings", "sigma"),
    [({"parameter_noise": 0.02}, 0.02), ({"sgld_noise": 1000}, None)],
    ids=["parameter_noise", "sgld_noise"],
)
def test_noise_really_acts_on_the_weights(settings: dict[str, Any], sigma: float | None) -> None:
    image, mask = _image_and_mask()
    network = _Watched()
    method = _with(learning_rate=1e-6, **settings)
    list(dip.fit(image, mask, method, network=network, checkpoints=[6]))
    expected = 1000 * 1e-6 if sigma is None else sigma * network.seen[0].std().item()
    for before, after in zip(network.seen, network.seen[1:], strict=False):
        assert (after - before).std().item() == pytest.approx(expected, rel=0.3)  # of 108 draws


def test_backtracking_returns_to_the_weights_of_the_last_look() -> None:
    weights = torch.zeros(2)
    rewind = Rewind(lambda: [weights], Backtracking())
    calm = torch.tensor(0.5)
    assert [n for n in range(1, 102) if rewind.due(n, calm)] == [1, 51, 101]
    assert not rewind.went_back(20)
    weights += 1
    assert not rewind.went_back(15.1)
    weights += 1
    assert rewind.went_back(10)
    assert weights.tolist() == [1, 1]
    assert rewind.due(52, calm)  # as long as the fit is not good again
    assert not rewind.went_back(10.2)
    assert not rewind.due(53, calm)


def test_a_loss_that_is_not_finite_is_looked_at_and_nothing_of_it_is_kept() -> None:
    weights = torch.zeros(1)
    rewind = Rewind(lambda: [weights], Backtracking())
    assert rewind.due(7, torch.tensor(float("inf")))
    assert not rewind.went_back(float("nan"))  # there is nothing to go back to
    assert not rewind.went_back(20)
    weights += 1
    assert rewind.went_back(float("nan"))
    assert rewind.went_back(-float("inf"))
    assert weights.tolist() == [0]


@pytest.mark.parametrize("broken_by", [1e30, float("inf"), float("nan")])
def test_a_fit_that_overflows_goes_back_instead_of_diverging(broken_by: float) -> None:
    image, mask = _image_and_mask()
    network = _Watched(broken_at=20, broken_by=broken_by)
    with pytest.raises(dip.Diverged):
        list(dip.fit(image, mask, METHOD, network=network, checkpoints=[25]))
    network = _Watched(broken_at=20, broken_by=broken_by)
    method = _with(backtracking={"every": 6})
    before, broken, after, end = dip.fit(
        image, mask, method, network=network, checkpoints=[19, 20, 21, 25]
    )
    assert end.loss < 0.1
    for checkpoint in (before, broken, after, end):
        assert torch.isfinite(checkpoint.raw).all()
        assert torch.isfinite(checkpoint.averaged).all()
    assert torch.equal(broken.raw, before.raw)
    assert torch.equal(broken.averaged, before.averaged)
    assert broken.loss == before.loss
    assert torch.equal(network.seen[20], network.seen[18])  # weights of iteration 19, a look


def test_running_statistics_go_back_too() -> None:
    """A network that is given is used afterwards, and then in evaluation mode."""
    image, mask = _image_and_mask()
    broken = _Watched(broken_at=20, broken_by=float("inf"))
    network = nn.Sequential(broken, nn.BatchNorm2d(3))
    method = _with(backtracking={"every": 1})
    list(dip.fit(image, mask, method, network=network, checkpoints=[25]))
    assert torch.isfinite(network.eval()(torch.rand(1, 4, 17, 20))).all()


def test_sgld_noise_follows_the_schedule() -> None:
    image, mask = _image_and_mask()
    network = _Watched()
    method = _with(learning_rate=1e-6, sgld_noise=1000, schedule={"every": 2, "factor": 1e-2})
    list(dip.fit(image, mask, method, network=network, checkpoints=[4]))
    moves = [
        (after - before).std().item()
        for before, after in zip(network.seen, network.seen[1:], strict=False)
    ]
    assert moves == pytest.approx([1e-3, 1e-3, 1e-5], rel=0.3)  # of 108 draws


def test_weights_that_are_not_trained_get_no_noise() -> None:
    image, mask = _image_and_mask()
    network = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1))
    frozen, trained = network[0].weight.requires_grad_(False), network[1].weight
    before = frozen.clone(), trained.detach().clone()
    method = _with(parameter_noise=0.02, sgld_noise=2)
    list(dip.fit(image, mask, method, network=network, checkpoints=[3]))
    assert torch.equal(frozen, before[0])
    assert not torch.equal(trained, before[1])


def test_a_broken_fit_goes_back_and_says_so() -> None:
    image, mask = _image_and_mask()
    ends = {}
    for name, settings in {"without": {}, "with": {"backtracking": {"every": 1}}}.items():
        network = _Watched(broken_at=20)
        method = _with(**settings)
        steps = list(dip.Fit(image, mask, method, network=network).until(25))
        assert [step.iteration for step in steps if step.backtracked] == (
            [20] if name == "with" else []
        )
        ends[name] = steps[-1].loss
        if name == "with":
            assert torch.equal(network.seen[20], network.seen[18])
    assert ends["with"] < 0.1 < 1 < ends["without"]
