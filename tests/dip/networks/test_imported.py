"""Anybody's network: by its import path in a suite, and as a module in Python."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from support.commands import Command, Done
from support.suites import jobs_of
from torch import Tensor, nn

import dip
from dip.networks.imported import ImportedNetwork
from dip.training.seeding import seeded_globally

Write = Callable[..., Path]

MODULE = """
from pathlib import Path
import torch
from torch import nn

called = []

class Small(nn.Module):
    def __init__(self, channels=4, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1), nn.ReLU(), nn.Dropout(dropout),
            nn.Conv2d(channels, 3, 3, stride=2, padding=1),
        )

    def forward(self, x):
        return {"aux": x, "out": self.layers(x)}

class Grey(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 1, 1)

    def forward(self, x):
        return self.layer(x)

class Breaks(Small):
    def forward(self, x):
        self.passes = getattr(self, "passes", 0) + 1
        if self.passes == 3:
            with torch.no_grad():
                self.layers[0].weight += 100
        return super().forward(x)

class NoModule:
    def __init__(self):
        called.append("NoModule")

def function(channels=4):
    called.append("function")
    return Small(channels)

instance = Small()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of somebody's, in a folder that Python looks in; its name is new in each test."""
    name = f"somebodys_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def _method(path: str, **options: Any) -> dict[str, Any]:
    architecture = {"import": path, **({"options": options} if options else {})}
    return {"preset": "lemsky-unet", "label": "somebody's", "set": {"architecture": architecture}}


def _run(command: Command, suite: Path, tmp_path: Path, *options: object) -> Done:
    return command("benchmarks", "run", suite, "--out", tmp_path / "results", *options)


def test_a_worker_runs_a_network_by_its_import_path(
    module: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(methods=[_method(f"{module}:Small", channels=5)])
    done = _run(command, suite, tmp_path, "--workers", 1)
    assert done.returncode == 0, done.stderr
    results = pd.read_csv(tmp_path / "results" / "tiny" / "results.csv")
    assert set(results["architecture"]) == {f"{module}:Small"}
    assert set(results["parameters"]) == {3 * 5 * 9 + 5 + 5 * 3 * 9 + 3}
    assert "0 to run" in _run(command, suite, tmp_path).stdout


def test_a_fit_that_went_back_says_so_in_record_status_and_report(
    module: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    method = _method(f"{module}:Breaks")
    method["set"]["backtracking"] = {"every": 1}
    suite = suite_file(methods=[method])
    done = command("reports", "bench", suite, "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    record = next((tmp_path / "results").glob("runs/*/record.json"))
    assert json.loads(record.read_text())["backtracked_at"] == [3]
    words = "went back to earlier weights at iteration 3"
    assert words in command("benchmarks", "status", suite, "--out", tmp_path / "results").stdout
    summary = (tmp_path / "results" / "tiny" / "report" / "summary.md").read_text()
    assert words in summary
    assert "1 of 1 jobs are done." in summary


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{}:function", "is a function, not one derived from torch.nn.Module; wrap it in one"),
        ("{}:NoModule", "is another class, not one derived from torch.nn.Module"),
        ("{}:instance", "is a Small, not one derived from torch.nn.Module"),
        ("{}:Smal", "unknown class 'Smal'. Did you mean 'Small'?"),
        ("shutil:rmtree", "not one derived from torch.nn.Module"),
        ("no_such_package.of_anybody:Small", "there is no module 'no_such_package.of_anybody'"),
        ("{}", "a network is named as 'package.module:Class'"),
        ("../{}:Small", "a network is named as 'package.module:Class'"),
    ],
)
def test_what_is_no_module_class_is_refused_and_never_called(
    path: str, message: str, module: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(methods=[_method(path.format(module))])
    done = _run(command, suite, tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "architecture" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results" / "tiny").exists() or not list(
        (tmp_path / "results").glob("runs/*")
    )
    import importlib

    assert importlib.import_module(module).called == []


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("a", "raise RuntimeError('no licence\\nfound')", "fails with RuntimeError: no licence"),
        ("b", "import sys; sys.exit(0)", "fails with SystemExit: 0"),
        ("c", "import not_installed", "fails with ModuleNotFoundError: No module named 'not_inst"),
        ("d", "clas Network: pass", "fails with SyntaxError: "),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_line(
    name: str,
    source: str,
    message: str,
    suite_file: Write,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script that ends the program must not end ours as if all were well."""
    (tmp_path / f"somebodys_broken_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    suite = suite_file(methods=[_method(f"somebodys_broken_{name}:Small")])
    for options in ([], ["--dry-run"]):
        done = _run(command, suite, tmp_path, *options)
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_package_that_cannot_be_imported_is_one_line(
    suite_file: Write, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "somebodys_package"
    package.mkdir()
    (package / "__init__.py").write_text("import not_installed")
    (package / "networks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    done = _run(
        command, suite_file(methods=[_method("somebodys_package.networks:Small")]), tmp_path
    )
    assert done.returncode == 2
    assert "No module named 'not_installed'" in done.stderr


def test_options_that_the_class_does_not_take_are_one_line(
    module: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(methods=[_method(f"{module}:Small", chanels=5)])
    done = _run(command, suite, tmp_path)
    assert done.returncode == 2
    assert "calling it with {'chanels': 5} fails with TypeError" in done.stderr
    assert "unexpected keyword argument 'chanels'" in done.stderr


def test_what_does_not_fit_an_image_is_said_before_any_fit(
    module: str, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    """A set of colour and grey images is tried with one of each."""
    quick = {
        "preset": "quick",
        "set": {"architecture.channels": [4, 4], "architecture.skip_channels": [4, 4]},
    }
    wrong_input = _method(f"{module}:Small")
    wrong_input["set"]["input.channels"] = 5
    for method, message in (
        (_method(f"{module}:Grey"), "Grey gives 2x1x36x36 for an image of 3 channels"),
        (_method(f"{module}:Small"), "Small gives 2x3x18x18 for an image of 1 channels"),
        (wrong_input, "running it on 'astronaut' with 5 input channels fails with RuntimeError"),
        (_method("torch.nn:Module"), "fails with NotImplementedError"),
    ):
        suite = suite_file(methods=[quick, method], images=["astronaut", "camera"])
        done = _run(command, suite, tmp_path)
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not list((tmp_path / "results").glob("runs/*/record.json"))


def test_the_key_follows_the_source(module: str, suite_file: Write, tmp_path: Path) -> None:
    suite = suite_file(methods=[_method(f"{module}:Small")])
    (before,), (same,) = jobs_of(suite), jobs_of(suite)
    assert before.key == same.key
    with (tmp_path / f"{module}.py").open("a") as source:
        source.write("\n# changed\n")
    (after,) = jobs_of(suite)
    assert after.key != before.key
    (other,) = jobs_of(suite_file(methods=[_method(f"{module}:Small", channels=6)]))
    assert len({before.key, after.key, other.key}) == 3


def test_settings_reach_the_options_of_an_import() -> None:
    method = dip.load_preset("quick").method
    imported = dip.with_settings(
        method,
        {"architecture.import": "somebody:Small", "architecture.options": {"channels": 4}},
    )
    assert imported.architecture.label == "somebody:Small"
    wider = dip.with_settings(imported, {"architecture.options.channels": 8})
    assert wider.model_dump(by_alias=True)["architecture"] == {
        "name": "import",
        "import": "somebody:Small",
        "options": {"channels": 8},
    }
    named = dip.with_settings(imported, {"architecture.options": {"name": "a", "classes": 3}})
    changed = dip.with_settings(named, {"architecture.options.name": "b"})
    assert changed.architecture.options == {"name": "b", "classes": 3}


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"import": "a:B", "option": {}}, "unknown key 'option'. Did you mean 'options'"),
        ({"import": "a:B", "name": "unet"}, "either a name or an import, not both"),
        ({"import": "a:B", "options": {"f": float("nan")}}, "architecture.options: options are"),
        ({"import": "a:B", "options": {1: 2}}, "architecture.options: options are 'name: value'"),
        ({"import": "a:B", "options": [1]}, "architecture.options: options are 'name: value'"),
        ("unet", "architecture: takes settings, as {name: value}, not 'unet'"),
        ({"channels": [4]}, "architecture: missing 'name'"),
    ],
)
def test_a_wrong_architecture_is_named(architecture: object, message: str) -> None:
    with pytest.raises(dip.InputError, match=message):
        dip.with_settings(dip.load_preset("quick").method, {"architecture": architecture})


def _image_and_mask(side: int = 36) -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(*[torch.linspace(0, 4, side)] * 2, indexing="ij")
    image = torch.stack([x.sin(), y.cos(), (x + y).sin()]) / 2 + 0.5
    mask = torch.ones(1, side, side)
    mask[:, 10:20, 12:24] = 0
    return image, mask


def test_a_segmentation_network_of_torchvision_inpaints() -> None:
    """A dictionary of three classes, with the learned input that is the default.

    Its map of classes is an eighth of the image's size, so that it draws no detail; this image has
    none, and the hole is filled better than with the mean of the known pixels.
    """
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    with seeded_globally(0, "a network"):
        network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    image, mask = _image_and_mask(side=64)
    method = dip.with_settings(dip.load_preset("lemsky-unet").method, {"learning_rate": 0.01})
    first, last = dip.fit(image, mask, method, network=network, checkpoints=[1, 40])
    assert last.raw.shape == image.shape
    assert last.loss < 0.2 * first.loss
    hole = mask[0] == 0
    mean = image[:, ~hole].mean(dim=1, keepdim=True)
    error = (last.raw - image)[:, hole].square().mean()
    assert error < 0.5 * (mean - image[:, hole]).square().mean()


def test_fit_takes_a_network_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is the preset of the learned input that is fitted, to its end."""
    preset = dip.load_preset("lemsky-unet")
    assert preset.iterations == 6000
    short = preset.model_copy(update={"iterations": 7})
    monkeypatch.setattr("dip.trainer.load_preset", {"lemsky-unet": short}.get)
    image, mask = _image_and_mask()
    (found,) = dip.fit(image, mask, network=_convolution())
    (expected,) = dip.fit(image, mask, preset.method, network=_convolution(), checkpoints=[7])
    assert found.iteration == 7
    assert torch.equal(found.raw, expected.raw)
    with pytest.raises(dip.InputError, match="name the `checkpoints`"):
        dip.fit(image, mask, preset.method, network=_convolution())


@pytest.mark.parametrize("network", [nn.Identity, lambda x: x, "unet"])
def test_what_is_no_network_is_refused(network: Any) -> None:
    image, mask = _image_and_mask()
    with pytest.raises(dip.InputError, match="a network is an instance of torch.nn.Module, not"):
        dip.Fit(image, mask, network=network)


def _convolution() -> nn.Module:
    with seeded_globally(0, "a network"):
        return nn.Conv2d(3, 3, 3, padding=1)


def test_the_given_network_is_the_one_that_is_trained() -> None:
    image, mask = _image_and_mask()
    network = nn.Conv2d(3, 3, 3, padding=1)
    before = network.weight.detach().clone()
    list(dip.fit(image, mask, network=network, checkpoints=[3]))
    assert not torch.equal(network.weight, before)


def test_dropout_depends_on_the_seed_and_on_nothing_else() -> None:
    image, mask = _image_and_mask()
    ends = []
    for seed, elsewhere in ((0, 1), (0, 2), (1, 1)):
        with seeded_globally(0, "a network"):
            network = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.Dropout(), nn.Conv2d(8, 3, 1))
        torch.manual_seed(elsewhere)
        state = torch.get_rng_state()
        method = dip.load_preset("siren").method  # its mesh grid depends on no seed
        (end,) = dip.fit(image, mask, method, network=network, checkpoints=[4], seed=seed)
        assert torch.equal(torch.get_rng_state(), state)
        ends.append(end.raw)
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_dropout_draws_anew_in_each_pass() -> None:
    network = ImportedNetwork(nn.Dropout(), 1, (8, 8))
    x = torch.ones(1, 1, 8, 8)
    assert not torch.equal(network(x), network(x))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: {"a": x, "b": x}, "gives dict with keys a, b"),
        (lambda x: [x], "gives list; it needs to give a tensor"),
        (lambda x: x[:, :2], "gives 1x2x4x4 for an image of 3 channels"),
        (lambda x: x[0], "gives 3x4x4 for an image of 3 channels"),
    ],
)
def test_an_answer_that_is_no_image_is_refused(
    answer: Callable[[Tensor], Any], message: str
) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return answer(x)

    with pytest.raises(dip.InputError, match=message):
        ImportedNetwork(Odd(), 3, (4, 4))(torch.rand(1, 3, 4, 4))


def test_a_sole_entry_is_taken_and_another_size_resized() -> None:
    class Logits(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"logits": x[..., ::2, ::2]}

    assert ImportedNetwork(Logits(), 3, (7, 9))(torch.rand(1, 3, 7, 9)).shape == (1, 3, 7, 9)


def test_nothing_to_train_is_refused() -> None:
    image, mask = _image_and_mask()
    method = dip.with_settings(
        dip.load_preset("siren").method, {"input": {"name": "noise", "channels": 3}}
    )
    with pytest.raises(dip.InputError, match="nothing to train"):
        dip.Fit(image, mask, method, network=nn.Identity())
