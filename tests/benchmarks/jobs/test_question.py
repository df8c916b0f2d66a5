"""The question of a suite: what it plans, every mistake in it, and whether it was asked in time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import Command, Ran
from support.suites import TINY

from benchmarks.jobs.asked import asked_by, question_sha256
from benchmarks.jobs.job import expand
from benchmarks.jobs.plan import make_plan
from benchmarks.jobs.suite import Suite, load_suite
from benchmarks.scoring.results import load_results
from benchmarks.store.asked import Asked
from dip.errors import InputError

Write = Callable[..., Path]

NETWORK = TINY["methods"][0]
METHODS = [
    {**NETWORK, "label": "slow"},
    {**NETWORK, "label": "fast", "set": {**NETWORK["set"], "learning_rate": 0.1}},
    {"fill": "all"},
]
QUESTION = {"reference": "mean", "margin": 0.3}


def _suite(suite_file: Write, methods: Any = METHODS, **question: Any) -> Suite:
    return load_suite(str(suite_file(methods=methods, question={**QUESTION, **question})))


def _asked(suite_file: Write, **question: Any) -> Asked:
    asked = _suite(suite_file, **question).asked
    assert asked is not None
    return asked


def test_all_networks_are_compared_with_the_reference(suite_file: Write) -> None:
    asked = _asked(suite_file)
    assert asked.planned == (("slow", "mean"), ("fast", "mean"))
    assert asked.outputs == {"slow": "averaged", "mean": "raw", "fast": "averaged"}
    assert (asked.score, asked.holes, asked.margin) == ("psnr_hole", "mean", 0.3)
    assert _asked(suite_file, reference="slow").planned == (("fast", "slow"),)


def test_a_label_is_compared_with_the_reference_and_a_pair_within_itself(suite_file: Write) -> None:
    asked = _asked(
        suite_file, compare=["slow", "telea", ["fast", "slow"]], output="raw", holes="each"
    )
    assert asked.planned == (("slow", "mean"), ("telea", "mean"), ("fast", "slow"))
    assert asked.outputs == {"slow": "raw", "mean": "raw", "telea": "raw", "fast": "raw"}
    assert asked.holes == "each"


def test_the_output_of_a_question_is_one_that_the_compared_networks_have(
    suite_file: Write,
) -> None:
    mean = {"mean": {"from": 2, "every": 1}}
    own = [{**METHODS[0], "output": "clean"}, METHODS[2]]

    def outputs(methods: Any, scored: list[Any], **question: Any) -> dict[str, str]:
        path = suite_file(methods=methods, outputs=scored, question={**QUESTION, **question})
        asked = load_suite(str(path)).asked
        assert asked is not None
        return asked.outputs

    label = "mean[from=2,every=1]"
    for output in (mean, label, "mean[every=1,from=2]"):
        assert outputs(METHODS, [mean], output=output)["slow"] == label
    assert outputs(own, ["raw"]) == {"slow": "clean", "mean": "raw"}  # nothing is averaged here
    # Raw outputs are always stored, but where nobody asks for them no table shows them.
    with pytest.raises(InputError, match="question.output: 'raw' is not asked for; add it to outp"):
        outputs(METHODS, ["averaged"], output="raw")


def test_a_suite_without_a_question_asks_none(suite_file: Write) -> None:
    assert load_suite(str(suite_file())).asked is None


BAD: list[tuple[dict[str, Any], str]] = [
    ({"reference": "maen"}, "question.reference: unknown method 'maen'. Did you mean 'mean'?"),
    ({"reference": None}, "question.reference: "),
    ({"compare": ["sloww"]}, "question.compare[0]: unknown method 'sloww'. Did you mean 'slow'?"),
    (
        {"compare": ["slow", ["fast", "slo"]]},
        "question.compare[1]: unknown method 'slo'. Did you mean 'slow'?",
    ),
    ({"compare": ["slow", "mean"]}, "question.compare[1]: 'mean' is compared with itself"),
    ({"compare": [["slow", "slow"]]}, "question.compare[0]: 'slow' is compared with itself"),
    ({"compare": ["slow", "slow"]}, "question.compare[1]: 'slow' and 'mean' are compared twice"),
    (
        {"compare": ["slow", ["mean", "slow"]]},
        "question.compare[1]: 'mean' and 'slow' are compared twice",
    ),
    ({"compare": []}, "question.compare: "),
    ({"compare": ["slow", ["slow"]]}, "question.compare[1]: must be a method's label, or a pair"),
    ({"compare": [12]}, "question.compare[0]: must be a method's label, or a pair of them"),
    ({"score": "psnr_hol"}, "question.score: unknown score 'psnr_hol'. Did you mean 'psnr_hole'?"),
    (
        {"score": "lpips_composited"},
        "question.score: 'lpips_composited' needs the metric lpips; add it to metrics",
    ),
    ({"output": "average"}, "question.output: unknown output 'average'. Did you mean 'averaged'?"),
    ({"output": "mean"}, "question.output: mean.from: Field required"),
    (
        {"output": "clean"},
        "question.output: 'clean' is not asked for; add it to outputs, or use one of them: raw,"
        " averaged",
    ),
    ({"holes": "all"}, "question.holes: Input should be 'mean' or 'each', not 'all'"),
    ({"margin": 0}, "question.margin: Input should be greater than 0, not 0"),
    ({"margin": -0.1}, "question.margin: Input should be greater than 0, not -0.1"),
    ({"margin": "some"}, "question.margin: a number is needed, not the text 'some'"),
    ({"margins": 0.3}, "question: unknown key 'margins'. Did you mean 'margin'?"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_every_mistake_is_one_line_that_names_it(
    changes: dict[str, Any], message: str, suite_file: Write
) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$") as error:
        _suite(suite_file, **changes)
    assert str(error.value).startswith(f"tiny.yaml: {message}")


def test_what_a_question_needs_is_said(suite_file: Write) -> None:
    for missing in ("reference", "margin"):
        question = {key: value for key, value in QUESTION.items() if key != missing}
        with pytest.raises(InputError, match=f"tiny.yaml: question.{missing}: Field required"):
            load_suite(str(suite_file(question=question)))
    with pytest.raises(InputError, match="question: there is no network to compare with 'mean'"):
        _suite(suite_file, methods=[{"fill": "all"}])


def _hash(suite_file: Write, question: Any = QUESTION, **changes: Any) -> str:
    suite = load_suite(str(suite_file(**{"methods": METHODS, **changes, "question": question})))
    assert suite.asked is not None
    return question_sha256(suite.asked, expand(suite))


def test_the_hash_is_that_of_the_question_and_what_it_is_about(suite_file: Write) -> None:
    asked = _hash(suite_file)
    twice = {**QUESTION, "compare": ["slow", "fast"]}
    assert _hash(suite_file, twice) == asked  # what is planned, however it is written
    assert _hash(suite_file, {**twice, "compare": ["fast", "slow"]}) == asked
    same: list[dict[str, Any]] = [
        {"title": "another"},
        {"seeds": [0, 1]},
        {"iterations": [1, 2, 4]},
        {"rules": []},
    ]
    for changes in same:
        assert _hash(suite_file, **changes) == asked, changes
    other: list[dict[str, Any]] = [
        {"question": {**QUESTION, "margin": 0.5}},
        {"question": {**QUESTION, "output": "raw"}},
        {"question": {**QUESTION, "holes": "each"}},
        {"question": {**QUESTION, "score": "ssim_hole"}},
        {"question": {**QUESTION, "reference": "telea"}},
        {"question": {**QUESTION, "compare": ["slow"]}},
        {"images": ["astronaut", "camera"]},
        {"size": 40},
        {"masks": ["bernoulli"]},
        {"iterations": [2, 8]},
        {"methods": [METHODS[0], {**METHODS[1], "set": NETWORK["set"]}, METHODS[2]]},
        {"engine": "plain"},
    ]
    for changes in other:
        assert _hash(suite_file, **changes) != asked, changes
    # A method that no planned comparison has is not part of the question.
    alone = {**QUESTION, "compare": ["slow"]}
    fewer = [METHODS[0], METHODS[2]]
    assert _hash(suite_file, alone) == _hash(suite_file, alone, methods=fewer)


def test_where_a_question_is_asked_each_image_has_its_own_seed(suite_file: Write) -> None:
    images = ["astronaut", "camera"]
    fits = [
        job
        for job in expand(load_suite(str(suite_file(images=images, question=QUESTION))))
        if job.preset
    ]
    assert len({job.seed for job in fits}) == len(fits) == 2
    listed = expand(load_suite(str(suite_file(images=images, seeds=[7], question=QUESTION))))
    assert {job.seed for job in listed if job.preset} == {7}


def test_a_question_that_was_asked_first_is_in_every_record(ran: Ran) -> None:
    suite, out = ran(methods=METHODS, question=QUESTION)
    plan = make_plan(str(suite), out)
    asked = asked_by(plan)
    assert asked is not None
    assert (asked.fits, asked.asked_after) == (2, 0)
    for job in plan.jobs:
        record = plan.store.read(job.key)
        assert record is not None
        assert record.question == asked.sha256
    assert load_results(out / "tiny").question == asked


def test_a_question_that_was_asked_or_changed_afterwards_is_found_out(
    ran: Ran, suite_file: Write, command: Command
) -> None:
    suite, out = ran(methods=METHODS[:2], seeds=[0])
    assert load_results(out / "tiny").question is None
    suite_file(methods=METHODS[:2], seeds=[0], question={**QUESTION, "reference": "slow"})
    done = command("benchmarks", "run", suite, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "NOTICE: This question was asked after 2 of 2 fits were made." in done.stdout
    asked = load_results(out / "tiny").question
    assert asked is not None
    assert (asked.fits, asked.asked_after) == (2, 2)
    # One more image is another question, too, and the fits of the first are older than it.
    images = ["astronaut", "camera"]
    suite_file(
        methods=METHODS[:2],
        seeds=[0],
        images=images,
        question={**QUESTION, "reference": "slow"},
    )
    assert command("benchmarks", "run", suite, "--out", out).returncode == 0
    asked = load_results(out / "tiny").question
    assert asked is not None
    assert (asked.fits, asked.asked_after) == (4, 2)


def test_a_fit_that_goes_on_keeps_the_question_it_began_with(
    ran: Ran, suite_file: Write, command: Command
) -> None:
    changes: dict[str, Any] = {
        "methods": METHODS[:2],
        "question": {**QUESTION, "reference": "slow"},
    }
    suite, out = ran("--keep-state", **changes)
    began = asked_by(make_plan(str(suite), out))
    suite_file(**{**changes, "iterations": [2, 4, 6]})
    done = command("benchmarks", "run", suite, "--out", out)
    assert "from iteration 4" in done.stdout
    plan = make_plan(str(suite), out)
    asked = asked_by(plan)
    assert began is not None
    assert asked is not None
    assert asked.sha256 != began.sha256
    assert (asked.fits, asked.asked_after) == (2, 2)
    assert {record.question for job in plan.jobs if (record := plan.store.read(job.key))} == {
        began.sha256
    }


def test_a_fit_that_is_made_again_was_seen_before(
    ran: Ran, suite_file: Write, command: Command
) -> None:
    """Whatever the reason: its trajectory is the same."""
    suite, out = ran(methods=METHODS[:2], seeds=[0])
    suite_file(
        methods=METHODS[:2],
        seeds=[0],
        question={**QUESTION, "reference": "slow"},
        iterations=[2, 6],
    )
    for options in ([], ["--fresh"]):
        done = command("benchmarks", "run", suite, "--out", out, *options)
        assert "2 to run" in done.stdout
        asked = asked_by(make_plan(str(suite), out))
        assert asked is not None
        assert (asked.fits, asked.asked_after) == (2, 2)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"planned": []}, "question: planned: "),
        ({"planned": [["slow", "none"]], "outputs": {"slow": "raw", "none": "raw"}}, "'none' is"),
        ({"outputs": {}}, "question: 'fast' has no output; score again"),
        ({"score": "psnr"}, "question: psnr is no score; score again"),
        ({"margins": 1}, "question: unknown key 'margins'"),
    ],
)
def test_a_question_that_was_edited_in_the_results_is_one_line(
    changes: dict[str, Any], match: str, ran: Ran
) -> None:
    _, out = ran(methods=METHODS, question=QUESTION)
    path = out / "tiny" / "suite.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "question": {**about["question"], **changes}}))
    with pytest.raises(InputError, match=r"^[^\n]+$") as error:
        load_results(out / "tiny")
    assert match in str(error.value)
