"""The decision: what is worse, better, the same, not to be told, and not to be compared."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.sides import FILL, IMAGES, MASKS, baseline, side

from benchmarks.regression.decision import (
    ALL,
    CANNOT_TELL,
    FEW,
    NOT_COMPARABLE,
    SAME,
    TOO_FEW,
    WORSE,
    Decision,
    Lost,
    Row,
    decide,
)
from benchmarks.regression.scores import SCORES, Side
from dip.errors import InputError

HOLES = {f"{image}/{mask}": image + mask for image in IMAGES for mask in MASKS}


def _row(decision: Decision, method: str, score: str = "psnr", output: str = "raw") -> Row:
    (found,) = [
        row
        for row in decision.rows
        if (row.method, row.score.name, row.output) == (method, score, output)
    ]
    return found


def test_other_seeds_of_the_same_are_the_same() -> None:
    decision = decide(baseline(), side(draw=5))
    assert decision.exit_code == SAME
    assert {row.verdict for row in decision.rows if row.method != FILL} == {"same"}
    assert {row.verdict for row in decision.rows if row.method == FILL} == {"identical"}
    assert len(decision.rows) == 3 * (2 + 3 * 2 + 1)
    assert _row(decision, ALL).cells == (12, 12)
    assert _row(decision, ALL).seeds == (24, 6)


def test_the_same_seeds_with_the_same_scores_are_identical() -> None:
    reference = baseline()
    first = reference.scores[reference.scores["seed"] < 6]
    decision = decide(reference, replace(reference, label="here", scores=first))
    assert {row.verdict for row in decision.rows} == {"identical"}
    assert all(row.difference == 0 for row in decision.rows)


@pytest.mark.parametrize(("shift", "verdict"), [(-1.0, "worse"), (1.0, "better")])
def test_a_shift_is_seen_in_every_score_and_its_direction(shift: float, verdict: str) -> None:
    """LPIPS is less for better."""
    decision = decide(baseline(), side(draw=5, shift=shift))
    assert decision.exit_code == WORSE
    for score in SCORES:
        row = _row(decision, ALL, score.name)
        assert row.verdict == verdict
        assert abs(row.difference) > row.half_width
    assert _row(decision, ALL, "lpips").difference * shift < 0
    assert {row.method for row in decision.alarms} == {ALL, "skip", "unet", "siren"}


def test_one_network_that_is_worse_is_named() -> None:
    networks = {"skip": 18.0, "unet": 12.0, "siren": 17.0}
    decision = decide(baseline(), side(draw=5, networks=networks))
    assert {row.method for row in decision.alarms} == {ALL, "unet"}
    assert decision.exit_code == WORSE


def test_a_few_seeds_that_go_astray_end_the_gate_and_more_seeds_tell() -> None:
    def gone_astray(seeds: int) -> Side:
        """Every third."""
        here = side(draw=5, seeds=range(seeds))
        is_one = (here.scores["method"] == "skip") & (here.scores["seed"] % 3 == 1)
        here.scores.loc[is_one, "psnr_hole"] -= 6
        return here

    decision = decide(baseline(), gone_astray(6))
    row = _row(decision, "skip")
    assert (row.verdict, row.reason, row.seeds_needed) == ("cannot tell", FEW, None)
    assert abs(row.difference) > row.half_width
    assert decision.exit_code == CANNOT_TELL
    assert _row(decide(baseline(), gone_astray(48)), "skip").verdict == "worse"


def test_too_few_seeds_cannot_tell_and_say_how_many_would() -> None:
    decision = decide(baseline(deviation=1.5), side(draw=5, deviation=1.5))
    row = _row(decision, ALL)
    assert row.verdict == "cannot tell"
    assert row.seeds_needed is not None
    assert row.seeds_needed > 6
    assert decision.exit_code == CANNOT_TELL
    many = side(draw=5, deviation=1.5, seeds=range(200))
    assert _row(decide(baseline(deviation=1.5, seeds=range(200)), many), ALL).verdict == "same"


def test_a_single_network_that_cannot_be_told_does_not_end_the_gate() -> None:
    """Nineteen steady ones and one that swings."""
    networks = {f"steady-{index}": 18.0 for index in range(19)}
    parts = [
        (
            baseline(networks=networks, deviation=0.1),
            baseline(networks={"swings": 15.0}, deviation=1.2, draw=2),
        ),
        (
            side(networks=networks, deviation=0.1, draw=6),
            side(networks={"swings": 15.0}, deviation=1.2, draw=8),
        ),
    ]
    reference, here = (_together(*each) for each in parts)
    decision = decide(reference, here)
    assert _row(decision, "swings").verdict == "cannot tell"
    assert _row(decision, ALL).verdict == "same"
    assert decision.exit_code == SAME


def _together(one: Side, other: Side) -> Side:
    import pandas as pd

    fitted = other.scores[other.scores["method"] != FILL]
    return replace(one, scores=pd.concat([one.scores, fitted]))


def test_one_seed_says_nothing_of_the_spread() -> None:
    decision = decide(side("a", seeds=range(1)), side("b", seeds=range(1), draw=3))
    row = _row(decision, "skip")
    assert (row.verdict, row.seeds_needed) == ("cannot tell", None)
    assert "one seed says nothing" in row.reason
    assert decision.exit_code == CANNOT_TELL


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "identical"), (0.004, "same"), (0.006, "better")]
)
def test_a_fill_may_differ_by_rounding_only(shift: float, verdict: str) -> None:
    decision = decide(baseline(), side(draw=5, fill_shift=shift))
    assert _row(decision, FILL).verdict == verdict


def test_a_fill_that_is_better_in_one_cell_and_worse_in_another_is_not_the_same() -> None:
    here = side(draw=5)
    cells = here.scores["method"] == FILL
    here.scores.loc[cells, "psnr_hole"] += np.array([0.01, -0.01, 0, 0])
    row = _row(decide(baseline(), here), FILL)
    assert row.verdict == "worse"
    assert abs(row.difference) < row.half_width


def test_scores_that_are_infinite_are_identical_or_not_to_be_told() -> None:
    """A hole that is filled exactly has an infinite PSNR."""
    reference, here = baseline(), side(draw=5)
    for each in (reference, here):
        each.scores.loc[each.scores["method"] == FILL, "psnr_hole"] = np.inf
    assert _row(decide(reference, here), FILL).verdict == "identical"
    here.scores.loc[here.scores["method"] == "skip", "psnr_hole"] = np.inf
    row = _row(decide(reference, here), "skip")
    assert (row.verdict, row.reason) == ("cannot tell", "a score is infinite")
    assert _row(decide(here, here), "skip").verdict == "identical"


def _exact(which: Side, method: str, image: str = "astronaut") -> Side:
    """The same, with an image that the method fills exactly."""
    scores = which.scores.copy()
    scores.loc[(scores["method"] == method) & (scores["image"] == image), "psnr_hole"] = np.inf
    return replace(which, scores=scores)


def test_cells_that_both_sides_fill_exactly_are_in_no_mean() -> None:
    """What is worse elsewhere is found as if they were not there."""
    for method in (FILL, "skip"):
        reference, here = (_exact(each, method) for each in (baseline(), side(draw=5)))
        row = _row(decide(reference, here), method)
        assert row.verdict == ("identical" if method == FILL else "same")
        assert np.isfinite([row.reference, row.here]).all()
        assert row.cells == (2, 4)
        worse = here.scores.copy()
        worse.loc[worse["method"] == method, "psnr_hole"] -= 3
        row = _row(decide(reference, replace(here, scores=worse)), method)
        assert row.verdict == "worse"
        assert row.difference == pytest.approx(-3, abs=1)


def test_a_cell_that_one_seed_fills_exactly_does_not_hide_what_is_worse() -> None:
    here = side(draw=5)
    is_skip = here.scores["method"] == "skip"
    here.scores.loc[is_skip, "psnr_hole"] -= 10
    first = here.scores[is_skip & (here.scores["output"] == "raw")].index[0]
    here.scores.loc[first, "psnr_hole"] = np.inf
    decision = decide(baseline(), here)
    row = _row(decision, "skip")
    assert (row.verdict, row.cells) == ("worse", (3, 4))
    assert decision.exit_code == WORSE


def test_other_seeds_that_fill_everything_exactly_are_the_same() -> None:
    sides = [baseline(), side(draw=5, seeds=range(30, 36))]
    for image in IMAGES:
        sides = [_exact(which, "skip", image) for which in sides]
    row = _row(decide(*sides), "skip")
    assert (row.verdict, row.reason) == ("same", "")


def test_a_fill_that_is_no_longer_exact_is_worse_and_one_that_is_now_is_better() -> None:
    plain, exact = baseline(), _exact(baseline(), FILL)
    assert _row(decide(exact, plain), FILL).verdict == "worse"
    assert _row(decide(plain, exact), FILL).verdict == "better"
    lost = exact.scores.copy()
    lost.loc[lost["method"] == FILL, "psnr_hole"] -= 1
    worse = replace(exact, scores=lost)
    assert _row(decide(plain, worse), FILL).verdict == "worse"


def _specified(**changes: Any) -> dict[str, Any]:
    methods = {
        name: {"method": {"learning_rate": 0.01}, "versions": {name: 1}}
        for name in ("skip", "unet", "siren", FILL)
    }
    return {
        "images": {"astronaut": "a", "coffee": "b"},
        "masks": HOLES,
        "methods": {**methods, **changes.pop("methods", {})},
        "metrics": {"psnr": "1", "ssim": "1", "lpips": "1"},
        **changes,
    }


def test_another_version_of_a_component_is_not_compared_and_the_rest_is() -> None:
    newer = {"unet": {"method": {"learning_rate": 0.01}, "versions": {"unet": 2}}}
    here = side(draw=5, specification=_specified(methods=newer))
    decision = decide(baseline(specification=_specified()), here)
    row = _row(decision, "unet")
    assert (row.verdict, row.reason) == ("not comparable", "versions.unet: 1, now 2")
    assert not np.isnan(row.difference)  # it is shown, and not judged
    assert _row(decision, "skip").verdict == "same"
    assert _row(decision, ALL).cells == (8, 8)
    assert decision.exit_code == NOT_COMPARABLE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"methods": {"skip": {"method": {"learning_rate": 0.02}, "versions": {"skip": 1}}}},
            "method.learning_rate: 0.01, now 0.02",
        ),
        ({"images": {"astronaut": "other", "coffee": "b"}}, "another image: astronaut"),
        ({"masks": {**HOLES, "coffee/boxes": "other"}}, "another hole: coffee/boxes"),
        (
            {"metrics": {"psnr": "2", "ssim": "1", "lpips": "1"}},
            "another metric: psnr (1, now 2)",
        ),
    ],
    ids=["settings", "image", "hole", "metric"],
)
def test_what_is_not_the_same_is_not_compared(changes: dict[str, Any], reason: str) -> None:
    here = side(draw=5, specification=_specified(**changes))
    decision = decide(baseline(specification=_specified()), here)
    assert _row(decision, "skip").reason == reason
    assert decision.exit_code == NOT_COMPARABLE
    if "psnr" in reason:
        assert _row(decision, "skip", "ssim").verdict == "same"


def test_only_an_output_with_another_definition_is_not_comparable() -> None:
    """A baseline without versions of outputs has the first versions."""
    here = side(draw=5, specification=_specified(outputs={"raw": 1, "averaged": 2}))
    decision = decide(baseline(specification=_specified()), here)
    reason = "another definition of the output: averaged (1, now 2)"
    assert _row(decision, "skip", output="averaged").reason == reason
    assert _row(decision, "skip").verdict == "same"


def test_what_is_worse_outweighs_what_cannot_be_compared() -> None:
    newer = {"unet": {"method": {"learning_rate": 0.01}, "versions": {"unet": 2}}}
    here = side(draw=5, shift=-1, specification=_specified(methods=newer))
    assert decide(baseline(specification=_specified()), here).exit_code == WORSE


def test_a_method_that_one_side_has_only_is_not_compared() -> None:
    here = side(draw=5, networks={"skip": 18.0, "new": 18.0})
    decision = decide(baseline(networks={"skip": 18.0, "old": 18.0}), here)
    assert _row(decision, "new").reason == "here only"
    assert _row(decision, "old").reason == "baseline only"
    assert decision.exit_code == NOT_COMPARABLE


def test_nothing_in_common_is_an_error() -> None:
    other = side(networks={"other": 18.0})
    no_fill = replace(other, scores=other.scores[other.scores["method"] != FILL])
    with pytest.raises(InputError, match="nothing was compared"):
        decide(baseline(), no_fill)
    elsewhere = side().scores.assign(image="elsewhere")
    with pytest.raises(InputError, match="nothing was compared"):
        decide(baseline(), replace(side(), scores=elsewhere))


def test_cells_that_only_here_has_do_not_count_and_those_that_are_gone_do() -> None:
    here = side(draw=5)
    part = replace(here, scores=here.scores[here.scores["image"] == "coffee"])
    decision = decide(baseline(), part)
    row = _row(decision, "skip")
    assert (row.verdict, row.cells) == ("not comparable", (2, 4))
    assert row.reason == "here lacks 2 of its 4 images and holes"
    assert decision.exit_code == NOT_COMPARABLE
    decision = decide(replace(part, label="part"), baseline())
    assert _row(decision, "skip").cells == (2, 4)
    assert decision.exit_code == SAME


def test_another_iteration_is_not_compared() -> None:
    here = side(draw=5)
    here.scores["iteration"] = here.scores["iteration"].replace(200, 190)
    decision = decide(baseline(), here)
    assert _row(decision, "skip").reason == "iteration: 200, now 190"
    assert _row(decision, FILL).verdict == "identical"
    assert decision.exit_code == NOT_COMPARABLE


def test_of_one_network_alone_there_is_no_mean_and_it_decides() -> None:
    one = {"skip": 18.0}
    decision = decide(baseline(networks=one), side(draw=5, networks=one))
    assert {row.method for row in decision.rows} == {"skip", FILL}
    assert decision.exit_code == SAME
    wide = {"networks": one, "deviation": 2.0}
    assert decide(baseline(**wide), side(draw=5, **wide)).exit_code == CANNOT_TELL


def _with_lost(here: Side, method: str, seeds: tuple[int, ...], status: str = "diverged") -> Side:
    scores = here.scores.copy()
    lost = (scores["method"] == method) & scores["seed"].isin(seeds) & (scores["mask"] == "boxes")
    scores.loc[lost, "status"] = status
    scores.loc[lost, [score.column for score in SCORES]] = np.nan
    return replace(here, scores=scores)


def test_a_seed_that_lacks_a_score_does_not_count_and_is_not_forgotten() -> None:
    decision = decide(baseline(), _with_lost(side(draw=5), "skip", (1,)))
    assert _row(decision, "skip").seeds == (24, 5)
    assert decision.lost == Lost((0, 72), (1, 18))
    assert decision.exit_code == CANNOT_TELL


def test_many_fits_that_diverge_are_worse() -> None:
    decision = decide(baseline(), _with_lost(side(draw=5), "skip", tuple(range(6))))
    assert _row(decision, "skip").reason == "no seed has a score in every cell"
    assert decision.lost.verdict == "worse"
    assert decision.exit_code == WORSE


def test_a_network_without_any_score_on_both_sides_cannot_be_told() -> None:
    sides = [baseline(), side(draw=5)]
    for each in sides:
        is_its = each.scores["method"] == "skip"
        each.scores.loc[is_its, "status"] = "diverged"
        each.scores.loc[is_its, [score.column for score in SCORES]] = np.nan
    decision = decide(*sides)
    row = _row(decision, "skip")
    assert (row.verdict, row.reason) == ("cannot tell", "no seed has a score in every cell")
    assert _row(decision, ALL).cells == (8, 8)
    assert decision.exit_code == CANNOT_TELL


def test_as_many_as_ever_are_the_same() -> None:
    reference = _with_lost(baseline(), "skip", tuple(range(24)))
    decision = decide(reference, _with_lost(side(draw=5), "skip", tuple(range(6))))
    assert decision.lost.verdict == "same"


def test_one_fit_that_failed_is_worse_by_its_name() -> None:
    decision = decide(baseline(), _with_lost(side(draw=5), "skip", (2,), "failed"))
    assert decision.lost.failed == ("astronaut/boxes/skip/2", "coffee/boxes/skip/2")
    assert decision.exit_code == WORSE
    failed = _with_lost(side(draw=5), "skip", (2,), "failed")
    assert decide(failed, failed).exit_code == SAME  # no worse than itself


def test_a_score_that_is_gone_is_not_passed_over() -> None:
    here = side(draw=5)
    here.scores["lpips_hole"] = np.nan
    decision = decide(baseline(), here)
    row = _row(decision, "skip", "lpips")
    assert (row.verdict, row.reason) == ("not comparable", "here has no hole LPIPS")
    assert _row(decision, "skip", "ssim").verdict == "same"
    assert decision.exit_code == NOT_COMPARABLE
    decision = decide(here, baseline())
    assert {row.score.name for row in decision.rows} == {"psnr", "ssim"}
    assert "hole LPIPS is not compared: here has none" in decision.notices


@pytest.mark.parametrize("method", ["skip", FILL])
def test_scores_with_gaps_are_not_passed_over(method: str) -> None:
    here = side(draw=5)
    scores = here.scores
    is_gap = (scores["method"] == method) & (scores["mask"] == "boxes") & (scores["seed"] == 0)
    scores.loc[is_gap, "ssim_hole"] = np.nan
    decision = decide(baseline(), here)
    row = _row(decision, method, "ssim")
    assert (row.verdict, row.reason) == ("not comparable", "here lacks 2 scores of hole SSIM")
    assert _row(decision, method).verdict in ("same", "identical")
    assert decision.exit_code == NOT_COMPARABLE


def test_a_cell_that_no_side_has_a_score_of_is_left_out() -> None:
    """As of an image that is too small for a metric."""
    reference, here = baseline(), side(draw=5)
    for each in (reference, here):
        each.scores.loc[each.scores["image"] == "coffee", "lpips_hole"] = np.nan
    decision = decide(reference, here)
    assert _row(decision, "skip", "lpips").cells == (2, 4)
    assert _row(decision, "skip").cells == (4, 4)
    assert decision.exit_code == SAME


@pytest.mark.parametrize(("seeds", "needed"), [(3, 7), (6, 7)])
def test_too_few_seeds_on_both_sides_say_so_whatever_the_difference(
    seeds: int, needed: int
) -> None:
    decision = decide(side("a", seeds=range(seeds)), side(draw=5, shift=-8, seeds=range(seeds)))
    row = _row(decision, ALL)
    assert (row.verdict, row.reason, row.seeds_needed) == ("cannot tell", TOO_FEW, needed)
    assert decision.exit_code == CANNOT_TELL
    enough = side("a", seeds=range(9)), side(draw=5, shift=-8, seeds=range(9))
    assert decide(*enough).exit_code == WORSE


def test_results_of_an_earlier_version_are_compared_with_a_word() -> None:
    decision = decide(baseline(specification=_specified()), side(draw=5))
    assert decision.exit_code == SAME
    assert "earlier version" in decision.notices[0]


def test_a_pattern_leaves_out_jobs_on_both_sides() -> None:
    decision = decide(baseline().only("/skip/"), side(draw=5).only("/skip/"))
    assert {row.method for row in decision.rows} == {"skip"}
