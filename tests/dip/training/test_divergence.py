"""A fit that has failed says so, since when and how; a fit that is merely bad does not."""

import multiprocessing
import pickle
import re
from typing import Any

import pytest
import torch
from support.suites import NARROW
from torch import Tensor, nn

import dip
from dip.options import Backtracking
from dip.training.divergence import SPAN, Diverged, Watch
from dip.training.losses import Loss


def _image(kind: str) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 3, 24), torch.linspace(0, 5, 26), indexing="ij")
    scene = torch.stack([x.sin(), y.cos(), (x + y).sin()]) / 4 + 0.5
    match kind:
        case "bright":
            return 0.5 + scene / 2
        case "dark":
            return scene.pow(6)
        case "one colour":
            return torch.full_like(scene, 0.3)
        case "black and white":
            return (scene > 0.5).float()
    return scene


MASK = (torch.rand((1, 24, 26), generator=torch.Generator().manual_seed(1)) > 0.4).float()
QUICK = dip.with_settings(dip.load_preset("quick").method, NARROW["quick"])
KINDS = ["usual", "bright", "dark", "one colour", "black and white"]


def _fit(preset: str, kind: str, iterations: int, **settings: Any) -> list[dip.Checkpoint]:
    method = dip.with_settings(dip.load_preset(preset).method, {**NARROW[preset], **settings})
    return list(dip.fit(_image(kind), MASK, method, checkpoints=[iterations]))


def _failure() -> Diverged:
    fit = dip.Fit(_image("usual"), MASK, dip.with_settings(QUICK, {"learning_rate": 1e30}))
    with pytest.raises(Diverged) as end:
        for _ in fit.until(50):
            pass
    return end.value


def _fit_and_fail(_: int) -> None:
    raise _failure()


def test_a_failure_goes_from_process_to_process() -> None:
    """It arrives whole: an exception that cannot be made anew lets a pool wait for ever."""
    failure = _failure()
    again = pickle.loads(pickle.dumps(failure))  # noqa: S301 - our own
    assert str(again) == str(failure)
    seen = ("iteration", "reason", "noticed_at", "step", "stops")
    for name in seen:
        assert repr(getattr(again, name)) == repr(getattr(failure, name))  # nan is not itself
    with multiprocessing.get_context("fork").Pool(1) as pool:
        result = pool.map_async(_fit_and_fail, [0])
        with pytest.raises(Diverged, match=re.escape(str(failure))):
            result.get(timeout=120)


@pytest.mark.parametrize("preset", NARROW)
@pytest.mark.parametrize("kind", KINDS)
def test_a_learning_rate_of_100_has_failed(preset: str, kind: str) -> None:
    """With backtracking the fit has twice its interval to find back."""
    iterations = 120 if preset in ("dip-random50", "pip") else 60
    with pytest.raises(dip.Diverged) as end:
        _fit(preset, kind, iterations, learning_rate=100)
    assert 2 <= end.value.iteration <= 10
    assert str(end.value) == f"{end.value.reason} since iteration {end.value.iteration}"


@pytest.mark.parametrize("preset", NARROW)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_at_its_own_learning_rate_is_never_astray(
    preset: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nine in ten of 25 iterations would be needed there is not one."""
    looked: list[str] = []
    how = Watch._how

    def note(watch: Watch, *signs: Any) -> str:
        looked.append(how(watch, *signs))
        return looked[-1]

    monkeypatch.setattr(Watch, "_how", note)
    (checkpoint,) = _fit(preset, kind, 60)
    assert checkpoint.iteration == 60
    assert looked == [""] * 60


def test_a_fit_that_hardly_moves_has_not_failed() -> None:
    assert len(_fit("lemsky-unet", "usual", 60, learning_rate=1e-9)) == 1
    assert len(_fit("quick", "dark", 60, learning_rate=1e-9)) == 1


class _Scripted(nn.Module):
    """Gives what it is told, pass by pass; one parameter that does not matter."""

    def __init__(self, outputs: list[Tensor]):
        super().__init__()
        self.outputs = outputs
        self.weight = nn.Parameter(torch.zeros(()))
        self.passes = 0

    def forward(self, _: Tensor) -> Tensor:
        self.passes += 1
        return self.outputs[self.passes - 1][None] + 0 * self.weight


def _script(
    outputs: list[Tensor],
    checkpoints: list[int],
    image: Tensor | None = None,
    mask: Tensor = MASK,
) -> tuple[list[int], Diverged | None]:
    """The checkpoints that came, and how it ended."""
    method = dip.with_settings(
        dip.load_preset("lemsky-unet").method, {"batch": 1, "input": {"name": "noise"}}
    )
    seen = []
    image = _image("usual") if image is None else image
    fit = dip.fit(image, mask, method, network=_Scripted(outputs), checkpoints=checkpoints)
    try:
        for checkpoint in fit:
            seen.append(checkpoint.iteration)
    except Diverged as end:
        return seen, end
    return seen, None


GOOD = _image("usual") + 0.01
BAD = 1 - _image("usual")
FLAT = torch.full((3, 24, 26), 0.9)
WILD = torch.full((3, 24, 26), 50.0)
BLACK_AND_WHITE = (_image("usual") < 0.5).float()


@pytest.mark.parametrize(
    ("first", "then", "how"),
    [
        (BAD, WILD, "a loss above its first"),
        (3 * BAD, BLACK_AND_WHITE, "black and white only"),
        (GOOD, FLAT, "a loss above its first"),
    ],
)
def test_each_way_of_collapsing_is_told(first: Tensor, then: Tensor, how: str) -> None:
    seen, end = _script([first] * 3 + [then] * 60, [3, 10, 50])
    assert end is not None
    assert (end.iteration, end.reason) == (4, f"the fit has collapsed ({how})")
    assert seen == [3, 10]  # the caller learns what was wrong with 10 when it is known


def test_one_colour_is_a_collapse_only_where_nothing_moves() -> None:
    _, end = _script([BAD] * 3 + [FLAT] * 60, [50])
    assert end is not None
    assert (end.iteration, end.reason) == (
        5,
        "the fit has collapsed (one colour that does not change)",
    )
    moving = [FLAT - 0.001 * n for n in range(60)]
    assert _script([BAD] * 3 + moving, [50]) == ([50], None)


def test_what_was_learnt_and_lost_is_a_collapse() -> None:
    lost = _image("usual").flip(1).clamp(0.1, 0.9)
    _, end = _script([3 * BAD] + [GOOD] * 40 + [lost] * 60, [100])
    assert end is not None
    assert (end.iteration, end.reason) == (42, "the fit has collapsed (what it had learnt is lost)")


def test_a_spike_is_no_collapse() -> None:
    spikes = ([GOOD] * 5 + [WILD] * 20) * 6
    seen, end = _script([GOOD, *spikes, GOOD], [152])
    assert (seen, end) == ([152], None)


def test_a_number_that_is_none_ends_the_fit_at_once() -> None:
    nothing = torch.full((3, 24, 26), torch.nan)
    seen, end = _script([GOOD] * 9 + [nothing] * 9, [5, 15])
    assert end is not None
    assert (seen, end.iteration, end.reason) == ([5], 10, "the loss is not finite")
    infinite = torch.full((3, 24, 26), 1e30)  # whose square is none in float32
    assert _script([GOOD] * 3 + [infinite], [4])[1] is not None


def test_a_fit_shorter_than_the_span_is_not_judged() -> None:
    seen, end = _script([GOOD] + [WILD] * (SPAN - 2), [SPAN - 1])
    assert (seen, end) == ([SPAN - 1], None)


def test_a_linear_output_may_start_far_outside() -> None:
    """Below 0 everywhere, which a picture shows as black, and on its way."""
    far = [torch.full((3, 24, 26), -1.5 + 0.01 * n) + 0.1 * BAD for n in range(60)]
    assert _script(far, [60]) == ([60], None)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_less_than_a_picture_shows_is_never_astray(value: float) -> None:
    """A lucky start on one colour, and then errors of a hundredth of a level."""
    image = torch.full((3, 24, 26), value)
    outputs = [image] + [image + 1e-4] * 60
    assert _script(outputs, [60], image) == ([60], None)
    one_pixel = torch.zeros(1, 24, 26)
    one_pixel[0, 3, 4] = 1
    assert _script(outputs, [60], image, one_pixel) == ([60], None)


def test_it_says_when_it_was_noticed() -> None:
    _, end = _script([GOOD] * 3 + [WILD] * 60, [50])
    assert end is not None
    assert (end.iteration, end.noticed_at) == (4, SPAN + 1)


def test_what_was_astray_before_the_loss_was_no_number_is_no_good_checkpoint() -> None:
    nothing = torch.full((3, 24, 26), torch.nan)
    seen, end = _script([GOOD] * 3 + [WILD] * 15 + [nothing], [3, 10, 19])
    assert end is not None
    assert (seen, end.iteration) == ([3, 10], 4)
    assert end.reason == "the loss is not finite in the end (a loss above its first before)"


def test_backtracking_has_its_chance_first() -> None:
    known = MASK[None]
    method = dip.load_preset("quick").method
    loss_of = Loss(method, known, _image("usual")[None] * known)
    watch = Watch(loss_of, Backtracking(every=40))

    def look(iteration: int, output: Tensor, loss: float | None = None) -> None:
        loss = loss_of(output[None]).item() if loss is None else loss
        signs = watch.signs(torch.tensor(loss), output[None]).tolist()
        watch.look(iteration, signs, backtracked=loss != loss)

    look(1, GOOD)
    for iteration in range(2, 73):
        look(iteration, WILD)
    look(73, WILD, float("nan"))  # went back
    with pytest.raises(Diverged) as end:
        for iteration in range(74, 81):
            look(iteration, WILD)
    assert end.value.iteration == 2
