"""Suites: those that are shipped, and one line for every mistake in one."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support.commands import Command
from support.suites import TINY

from benchmarks.jobs.job import Job, expand, skipped_images
from benchmarks.jobs.seeds import PerImage
from benchmarks.jobs.suite import Suite, load_suite, suite_names
from datasets import Image as Picture
from datasets import load_images, load_manifest
from dip.errors import InputError
from dip.fills import FILLS
from dip.options import INPUTS, NETWORKS, OPTIMIZERS, OUTPUTS, RULES
from dip.presets import load_preset, preset_names
from reports.tables.scores import ALL_HOLES

Write = Callable[..., Path]


@pytest.mark.parametrize("name", suite_names())
def test_our_suites_state_their_cost_and_expand(name: str) -> None:
    suite = load_suite(name)
    assert suite.title
    assert suite.expect
    assert suite.expect != "to be measured"
    if isinstance(suite.dataset, str) and not load_manifest(suite.dataset).is_here:
        pytest.skip(f"the images of {suite.dataset} are not here; DIP_MIRROR may name them")
    jobs = expand(suite)
    assert len({job.name for job in jobs}) == len(jobs)


def test_quick_is_a_fair_first_look() -> None:
    suite = load_suite("quick")
    assert len(suite.images or ()) >= 8
    assert suite.crop is not None  # not shrunk: that takes away what DIP draws from
    assert [entry.fill for entry in suite.methods if entry.fill] == ["all"]
    assert len(suite.iterations) >= 4
    assert suite.asked is not None
    assert {method for method, _ in suite.asked.planned} == {"skip-narrow"}
    assert suite.asked.reference == "biharmonic"  # the best of the fast fills
    assert [entry.preset for entry in suite.methods if entry.images] == ["lemsky-unet"]


def test_the_article_is_reduced_and_not_changed() -> None:
    """The same methods with the same settings, but for what the reduced form says of itself."""
    whole, reduced = load_suite("article"), load_suite("article-reduced")
    assert [entry.label or entry.fill for entry in whole.methods] == [
        entry.label or entry.fill for entry in reduced.methods
    ]
    for entry, small in zip(whole.methods, reduced.methods, strict=True):
        assert entry.preset == small.preset
        ours = {key: value for key, value in small.set.items() if key != "architecture.channels"}
        theirs = dict(entry.set)
        if "schedule" in theirs:
            assert ours.pop("schedule")["factor"] == theirs.pop("schedule")["factor"]
        theirs.pop("architecture.channels", None)
        assert ours == theirs


def test_the_listing_names_everything_with_its_source(command: Command) -> None:
    listed = command("benchmarks", "list", "--all").stdout
    for registry in (NETWORKS, INPUTS, OPTIMIZERS, RULES, OUTPUTS):
        for name, model in registry.items():
            line = next(line for line in listed.splitlines() if line.startswith(f"  {name}: "))
            assert "Source: " in line or name == "import"
            for option, field in model.model_fields.items():
                assert field.description or option == "name"
    for name in preset_names():
        assert f"  {name}: " in listed
        assert load_preset(name).source in listed


BAD: list[tuple[dict[str, Any], str]] = [
    ({"iteration": [1]}, "unknown key 'iteration'. Did you mean 'iterations'?"),
    (
        {"methods": [{"preset": "lemsky-unt"}]},
        "tiny.yaml: methods[0].preset: unknown preset 'lemsky-unt'. Did you mean 'lemsky-unet'?",
    ),
    ({"methods": [{"fill": "meen"}]}, "methods[0].fill: unknown fill 'meen'. Did you mean 'mean'?"),
    ({"methods": [{"fill": "mean", "presets": 1}]}, "methods[0]: unknown key 'presets'"),
    ({"methods": [{"label": "x"}]}, "methods[0]: a method is a fill, a preset or published; name"),
    (
        {"methods": [{"fill": "mean", "set": {"learning_rate": 1}}]},
        "methods[0].set: the fill 'mean' has no options; leave out 'learning_rate'",
    ),
    (
        {"methods": [{"fill": "mean", "output": "raw"}]},
        "methods[0]: a fill has one output; leave out the key 'output'",
    ),
    (
        {"methods": [{"fill": "mean"}, {"preset": "quick", "output": "claen"}]},
        "tiny.yaml: methods[1].output: unknown output 'claen'. Did you mean 'clean'?",
    ),
    (
        {"methods": [{"preset": "quick", "output": {"mean": {"from": 5, "every": 1}}}]},
        "tiny.yaml: methods[0].output: mean[from=5,every=1] begins after the last iteration of"
        " methods[0], which is 4; begin earlier, or fit longer",
    ),
    ({"outputs": ["raw", "avraged"]}, "outputs[1]: unknown output 'avraged'. Did you mean 'avera"),
    ({"outputs": [{"mean": {"from": 3}}]}, "outputs[0]: mean.every: Field required"),
    ({"outputs": ["raw", "raw"]}, "outputs: 'raw' is named twice"),
    ({"outputs": []}, "outputs: List should have at least 1 item"),
    (
        {"outputs": ["raw", {"mean": {"from": 5, "every": 1}}]},
        "tiny.yaml: outputs[1]: mean[from=5,every=1] begins after the last iteration of methods[0]",
    ),
    (
        {"methods": [{"preset": "quick", "set": {"learnin_rate": 1}}]},
        "methods[0].set: unknown key 'learnin_rate'. Did you mean 'learning_rate'?",
    ),
    (
        {"methods": [{"preset": "quick", "sweep": {"architecture.upsampling": ["bicubic"]}}]},
        "methods[0].sweep: architecture.upsampling: Input should be 'nearest' or 'bilinear'",
    ),
    ({"methods": [{"fill": "mean"}, {"fill": "mean"}]}, "methods[1]: a second method named 'mean'"),
    (
        {"methods": [{"preset": "quick"}, {"preset": "quick", "sweep": {"learning_rate": [0.01]}}]},
        "methods[1]: 'quick' and 'quick[learning_rate=0.01]' are the same method; leave one out",
    ),
    (
        {"methods": [{"preset": "quick", "sweep": {"learning_rate": [0.001, 1e-3]}}]},
        "methods[0].sweep: 'quick[learning_rate=0.001]' is named twice",
    ),
    (
        {"methods": [{"preset": "quick", "sweep": {"learning_rate": [1, 1.0]}}]},
        "methods[0]: 'quick[learning_rate=1]' and 'quick[learning_rate=1.0]' are the same method",
    ),
    (
        {"methods": [{"preset": "quick", "set": {"learning_rate": "fast"}}]},
        "methods[0].set: learning_rate: a number is needed, not the text 'fast'",
    ),
    ({"methods": []}, "methods: "),
    (
        {"images": ["astronot"]},
        "tiny.yaml: images: unknown image 'astronot'. Did you mean 'astronaut'?",
    ),
    (
        {"dataset": "scikit"},
        "tiny.yaml: dataset: unknown dataset 'scikit'. Did you mean 'scikit-image'?",
    ),
    ({"dataset": {"folder": "nowhere"}}, "there is no such folder"),
    ({"dataset": None}, "dataset: Field required"),
    ({"masks": [{"bernouli": {}}]}, "masks[0]: unknown hole 'bernouli'. Did you mean 'bernoulli'?"),
    ({"masks": [{"boxes": {"count": 1}}]}, "masks[0]: boxes.side: Field required"),
    (
        {"masks": [{"boxes": {"count": 1, "sidee": 3}}]},
        "masks[0]: boxes: unknown key 'sidee'. Did you mean 'side'?",
    ),
    ({"masks": [{"bernoulli": {"missing": 2}}]}, "masks[0]: bernoulli.missing: "),
    (
        {"masks": [{"boxes": {"count": 1, "side": 99}}]},
        "tiny.yaml: masks[0]: boxes.side: 99 pixels do not fit",
    ),
    ({"masks": [{"bernoulli": {}, "label": ALL_HOLES}]}, "is what tables call their mean"),
    ({"masks": [{"bernoulli": {}, "label": ""}]}, "masks[0]: label: must be text on one line"),
    (
        {"masks": [{"bernoulli": {}, "label": "x"}, {"half": {}, "label": "x"}]},
        "masks[1]: a second hole named 'x'",
    ),
    (
        {"methods": [{"fill": "mean", "images": ["astronaunt"]}]},
        "methods[0].images: unknown image 'astronaunt'. Did you mean 'astronaut'?",
    ),
    ({"methods": [{"fill": "mean", "images": []}]}, "methods[0].images: List should have at least"),
    (
        {
            "methods": [{"preset": "quick", "images": ["astronaut"]}, {"fill": "mean"}],
            "question": {"reference": "mean", "compare": ["quick"], "margin": 1},
        },
        "question.compare[0]: 'quick' runs on some images only, and is not compared; leave out its",
    ),
    (
        {
            "methods": [{"preset": "quick", "images": ["astronaut"]}, {"fill": "mean"}],
            "question": {"reference": "mean", "margin": 1},
        },
        "question: there is no network to compare with 'mean'",
    ),
    ({"masks": ["bernoulli", "bernoulli"]}, "masks[1]: a second hole named 'bernoulli'"),
    (
        {"masks": ["bernoulli", {"bernoulli": {"seed": 0}}]},
        "masks: 'bernoulli' and 'bernoulli[seed=0]' are the same hole in every image",
    ),
    ({"masks": [{"bernoulli": {"seed": -1}}]}, "masks[0]: bernoulli.seed: Input should be greater"),
    ({"masks": [{"bernoulli": {"seed": 2**63}}]}, "whole numbers go from -(2^63 - 1) to 2^63 - 1"),
    ({"metrics": ["psrn"]}, "metrics[0]: unknown metric 'psrn'. Did you mean 'psnr'?"),
    ({"rules": ["es-wvm"]}, "tiny.yaml: rules[0]: unknown rule 'es-wvm'. Did you mean 'es-wmv'?"),
    ({"rules": [{"es-emv": {"alpha": 2}}]}, "rules[0]: es-emv.alpha: Input should be less than 1"),
    ({"rules": ["es-wmv", {"es-wmv": {"window": 100}}]}, "rules: 'es-wmv' is named twice"),
    ({"rules": ["held-out"]}, "rules: held-out needs a method with `set: {held_out: 0.05}`"),
    (
        {"methods": [{"preset": "lemsky-unet", "set": {"held_out": 0.0001}}]},
        "methods[0]: held_out: 0.0001 of 1232 known pixels are 0; it needs to be one at least, and"
        " to leave one, in 'astronaut'",
    ),
    ({"iterations": [0]}, "iterations[0]: Input should be greater than 0, not 0"),
    ({"iterations": [-5]}, "iterations[0]: Input should be greater than 0, not -5"),
    ({"iterations": 5}, "iterations: "),
    ({"iterations": ["many"]}, "iterations[0]: Input should be a valid integer"),
    ({"iterations": [2, 2]}, "iterations: 2 is named twice"),
    ({"iterations": [2**63]}, f": {2**63} is out of range; whole numbers go"),
    ({"seeds": [1, 1]}, "seeds: 1 is named twice"),
    ({"seeds": [-1]}, "seeds[0]: a whole number from 0 to 2^63 - 1, not -1"),
    ({"seeds": [1.0]}, "seeds[0]: a whole number from 0 to 2^63 - 1, not 1.0"),
    ({"seeds": [2**63]}, f"{2**63} is out of range; whole numbers go from -(2^63 - 1) to 2^63 - 1"),
    ({"seeds": "per_image"}, "seeds: unknown seeds 'per_image'. Did you mean 'per-image'?"),
    (
        {"seeds": {"per-image": 0}},
        "seeds: per-image: a whole number from 1 to 1000 is needed, not",
    ),
    ({"seeds": {"per-image": True}}, "from 1 to 1000 is needed, not true"),
    ({"seeds": {"image": 1}}, "seeds: takes a list, 'per-image' or {per-image: 3}, not {'image'"),
    ({"seeds": [0, "per-image"]}, "seeds[1]: a whole number from 0 to 2^63 - 1, not 'per-image'"),
    ({"crop": 20}, "tiny.yaml: crop and size exclude each other; leave one out"),
    ({"size": None, "crop": 4000}, "512x512 pixels, smaller than crop 4000; use crop: 512 or less"),
    (
        {"methods": [{"fill": "mean", "iterations": 5}]},
        "methods[0]: a fill has no iterations; leave them out",
    ),
    (
        {"methods": [{"preset": "quick", "iterations": 0}]},
        "methods[0].iterations: Input should be greater than 0, not 0",
    ),
    (
        {"methods": [{"preset": "quick"}, {"preset": "quick", "label": "x", "iterations": 8}]},
        "methods[1].iterations: 'quick' and 'x' are one fit, which has one list of checkpoints",
    ),
    ({"images": [12]}, "images[0]: must be text; write '12' in quotes"),
    ({"images": ["\u00e9", "e\u0301"]}, "images: 'é' is named twice"),
    ({"size": 4}, "'astronaut' has 4x4 pixels, too few for quick, which needs 5 on each side"),
    ({"size": 4000}, "512x512 pixels, smaller than size 4000; use size: 512 or less"),
    ({"size": "big"}, "size: Input should be a valid integer"),
    ({"size": True}, "size: Input should be a valid integer"),
    (
        {"methods": [{"preset": "quick", "set": {"learning_rate": True}}]},
        "methods[0].set: learning_rate: a number is needed, not true",
    ),
    (
        {
            "methods": [
                {"preset": "quick", "set": {"batc": 1}, "sweep": {"learning_rate": [0.1, 0.2]}}
            ]
        },
        "methods[0].set: unknown key 'batc'. Did you mean 'batch'?",
    ),
    ({"methods": [{"fill": "mean", "label": "two\nlines"}]}, "label: a label is text on one line"),
    ({"masks": [{"boxes": {"count": True, "side": 3}}]}, "masks[0]: boxes.count: Input should be"),
    (
        {"methods": [{"preset": "quick", "sweep": {"architecture.channels": [[[8], [8]]]}}]},
        "methods[0].sweep: architecture.channels[0]: Input should be a valid integer, not [8]",
    ),
    ({"dataset": {"folder": "~nobody/x"}, "images": None}, "there is no such folder"),
    ({"dataset": {"folder": "a\0b"}, "images": None}, "cannot be read as a folder"),
    ({"dataset": {"folders": "x"}}, "dataset: a dataset is a name, as 'scikit-image', or"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_every_mistake_is_one_line_that_names_it(
    changes: dict[str, Any], message: str, suite_file: Write
) -> None:
    if changes.get("size") == 4:
        changes = {**changes, "masks": ["bernoulli"]}
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        expand(load_suite(str(suite_file(**changes))))
    assert message in str(error.value)


def test_seeds_of_each_image_are_its_own(suite_file: Write) -> None:
    """By the decoded pixels and the index alone, the same for all methods and holes."""

    def drawn(seeds: object) -> dict[str, set[int]]:
        methods = [{"preset": "quick"}, {"preset": "quick", "label": "b", "set": {"batch": 2}}]
        masks = ["bernoulli", "half"]
        both = ["astronaut", "coffee"]
        path = suite_file(images=both, methods=methods, masks=masks, seeds=seeds)
        jobs = expand(load_suite(str(path)))
        assert len({job.name for job in jobs}) == len(jobs)
        return {name: {job.seed for job in jobs if job.image.name == name} for name in both}

    one, three = drawn("per-image"), drawn({"per-image": 3})
    assert [len(seeds) for seeds in (*one.values(), *three.values())] == [1, 1, 3, 3]
    assert one["astronaut"] < three["astronaut"]
    assert not three["astronaut"] & three["coffee"]
    assert drawn([0, 7]) == {"astronaut": {0, 7}, "coffee": {0, 7}}
    assert drawn(None) == {"astronaut": {0}, "coffee": {0}}


def test_a_seed_of_an_image_stays_what_it_is() -> None:
    """Runs are kept by their keys, of which it is a part."""
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    digest = sha256(b"1x3x4:" + pixels.tobytes()).hexdigest()
    expected = int(sha256(f"2:{digest}".encode()).hexdigest()[:8], 16)
    assert PerImage(2).of(Picture("a", pixels)) == expected == 2985475357


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(
    asked=st.lists(st.integers(1, 5000), min_size=1, max_size=6, unique=True),
    own=st.integers(1, 10**6),
)
def test_checkpoints_of_a_method_keep_the_proportions(asked: list[int], own: int) -> None:
    methods = [{"preset": "quick"}, {"preset": "lemsky-unet", "iterations": own}]
    content = {**TINY, "methods": methods, "iterations": asked, "name": "tiny", "file": "tiny.yaml"}
    suite = Suite.model_validate(content)
    usual, kept = map(suite.checkpoints, suite.methods)
    assert usual == tuple(sorted(asked))
    assert kept == tuple(sorted({*kept}))
    assert kept[0] >= 1
    assert kept[-1] == own
    wanted = [own * each / max(asked) for each in asked]
    assert all(min(abs(each - near) for near in kept) < 1 for each in wanted)
    assert all(min(abs(each - near) for near in wanted) < 1 for each in kept)


def test_iterations_of_a_method_are_no_part_of_its_key(suite_file: Write) -> None:
    def job(**own: int) -> Job:
        method = {**TINY["methods"][0], **own}
        (made,) = expand(load_suite(str(suite_file(methods=[method]))))
        return made

    assert job().iterations == (2, 4)
    assert job(iterations=10).iterations == (5, 10)
    assert job(iterations=10).key == job().key


def test_a_crop_is_the_image_of_the_job(suite_file: Write) -> None:
    (part,) = {job.image.sha256 for job in expand(load_suite(str(suite_file(size=None, crop=64))))}
    (whole,) = load_images("scikit-image", ["astronaut"])
    middle = slice(224, 288)  # of 512 pixels
    assert part == Picture("x", whole.pixels[:, middle, middle]).sha256


def test_yaml_that_does_not_parse_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("dataset: [scikit-image\nmasks: {")
    with pytest.raises(InputError, match=r"broken.yaml: line 2, column \d+: "):
        load_suite(str(path))
    path.write_text("name: other")
    with pytest.raises(InputError, match="unknown key 'name'; a suite is named by its file"):
        load_suite(str(path))
    path.write_text("expect: a\0b")
    with pytest.raises(InputError, match="broken.yaml: is not YAML that can be read"):
        load_suite(str(path))
    path.write_text("just words")
    with pytest.raises(InputError, match="a suite is 'key: value' lines"):
        load_suite(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"broken.yaml: "):
        load_suite(str(path))
    with pytest.raises(InputError, match="there is no such suite file"):
        load_suite(str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match="unknown suite 'quik'. Did you mean 'quick'"):
        load_suite("quik")


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("methods:\n- fill: mean\nmethods:\n- fill: nearest\n")
    with pytest.raises(InputError, match=r"^s.yaml: line 3: 'methods' is named twice$"):
        load_suite(str(path))
    path.write_text("methods:\n- preset: quick\n  set: {batch: 1, learning_rate: 1, batch: 2}\n")
    with pytest.raises(InputError, match=r"^s.yaml: line 3: 'batch' is named twice$"):
        load_suite(str(path))


def test_a_picture_under_two_names_does_not_count_twice(suite_file: Write, tmp_path: Path) -> None:
    path = suite_file(dataset={"folder": "pictures"}, images=None)
    (tmp_path / "pictures").mkdir()
    for name in ("a.png", "b.bmp"):
        Image.new("RGB", (40, 40), "red").save(tmp_path / "pictures" / name)
    suite = load_suite(str(path))
    jobs = expand(suite)
    assert {job.image.name for job in jobs} == {"a"}
    (notice,) = skipped_images(suite, jobs)
    assert notice.endswith("pictures: skipped, the same picture as another image: 'b'")
    asked = load_suite(str(suite_file(dataset={"folder": "pictures"}, images=["a", "b"])))
    with pytest.raises(InputError, match="images 'a' and 'b' are the same picture, which would"):
        expand(asked)


def test_the_command_line_ends_with_2_and_leaves_nothing(
    suite_file: Write, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    zero, good = suite_file("zero", iterations=[0]), suite_file()
    for arguments in (
        ("benchmarks", "run", zero, "--out", out),
        ("benchmarks", "run", "quik", "--out", out),
        ("benchmarks", "run", good, "--out", out, "-k", "nothing like this"),
        ("benchmarks", "run", good, "--out", out, "--device", "tpu"),
        ("benchmarks", "run", good, "--out", out, "--workers", -1),
        ("benchmarks", "status", "quik"),
        ("benchmarks", "score", "quik"),
        ("benchmarks", "nonsense"),
        ("reports", "build", tmp_path / "nowhere"),
        ("reports", "bench", "quik", "--out", out),
    ):
        done = command(*arguments)
        assert done.returncode == 2, (arguments, done)
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1, done.stderr
    assert not out.exists()


def test_a_mistake_is_said_before_torch_is_imported(suite_file: Write, process: Command) -> None:
    """With a torch that cannot be imported, a mistake is still told from one."""
    path = suite_file(methods=[{"preset": "quik"}])
    (path.parent / "torch.py").write_text("raise RuntimeError('torch was imported')")
    done = process("benchmarks", "run", path, PYTHONPATH=str(path.parent))
    assert done.returncode == 2
    assert done.stderr.startswith("error: tiny.yaml: methods[0].preset: unknown preset 'quik'")


def test_all_fills_are_one_line(suite_file: Write) -> None:
    suite = load_suite(str(suite_file(methods=[{"fill": "all"}])))
    quick = [name for name, fill in FILLS.items() if not fill.slow]
    assert [job.method_label for job in expand(suite)] == quick
    assert [job.method for job in expand(suite)] == [FILLS[name] for name in quick]
    for entry, match in (
        ({"fill": "all", "label": "x"}, "several fills have their own names; leave the label out"),
        ({"fill": "al"}, "unknown fill 'al'. Did you mean 'all'"),
    ):
        with pytest.raises(InputError, match=match):
            load_suite(str(suite_file(methods=[entry])))
    with pytest.raises(InputError, match="a second method named 'mean'"):
        load_suite(str(suite_file(methods=[{"fill": "all"}, {"fill": "mean"}])))


def test_every_shipped_suite_has_all_fills() -> None:
    """Networks are compared with all fills; the gate only with the fills of its baseline.

    `portraits` is a picture and compares nothing.
    """
    for name in {*suite_names()} - {"regression", "portraits"}:
        assert "all" in [entry.fill for entry in load_suite(name).methods], name
    gated = {entry.fill for entry in load_suite("regression").methods}
    assert "all" not in gated
    assert gated & {*FILLS}


def test_only_published_figures_can_be_reproduced(suite_file: Write) -> None:
    method = {**TINY["methods"][0], "reproduces": "DIP"}
    suite = load_suite(str(suite_file(methods=[method])))
    with pytest.raises(InputError, match=r"methods\[0\].reproduces: no figures are published"):
        expand(suite)
