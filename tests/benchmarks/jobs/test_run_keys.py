"""Run keys: a change of the code leaves stored runs valid, unless it counts up a version."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.commands import ROOT
from support.needs import needs
from support.suites import TINY

from benchmarks.jobs.job import expand
from benchmarks.jobs.methods import AnyMethod
from benchmarks.jobs.suite import load_suite, suite_names
from dip.fills import FILLS as ALL_FILLS
from dip.fills import Fill
from dip.options import LOSSES, Method
from dip.options.canonical import canonical

Write = Callable[..., Path]

# Of each suite, the SHA-256 of its jobs' keys one after the other.
KEYS = {
    "architectures": "815ab9c9e87c2ac1ed35b666e02a182c09ce2499f887c353c2cfa4b5497e2987",
    "article": "fe306a5afd41c43c7a6961a93f1e9f10829bfd30e42df6a70b952108bb4c7bdb",
    "article-reduced": "c5832fe04f9969413b8a4a9813728d8dab66cfd5e2d082a5bc25728362a5aad9",
    "development": "9e0d8a0ce0b5c50c26ddb4285d173645f9825f9d5d296f0d92a9512802945a16",
    "fills-11": "f5739d1ca43ec51edb251b2f0614d95f1ab53f079183f4d37906a5ff405fafbe",
    "paper-inpainting": "984f31648d3d80937d587c4492aa811e258e46605d2da4a00042498043ed1961",
    "paper-inpainting-256": "13bdd68d389c4bda6646d1edad1da75267b8552fd424c3443b3a9a876d6813e4",
    "paper-kate": "7a3259f2bff085d025934dee9f3208ee4f274050f18f7368dc6c435e16388592",
    "portraits": "acc5869c0207f6c048e85e2bb0b6a1c67b7d4bdb0acf439367fda9071806be95",
    "quick": "158b36375e959ab0ff5e313701d3796910f0566857349171e34a8105023c5685",
    "receptive-field": "702446ef2f54a11d15db426398a008ee9803e7be68306ecaf0564fbcb767f5d2",
    "regression": "0cd4475bf97ef0727891b22fdf2cad681bf71a8a75c96be646895bc75cd64e16",
    "standard": "85c2b36b0ec8a9224d61fe92ea6f5ce0632696491789812a077974a0d81a127a",
    "standard-reduced": "b8b4e244b519abfbc90aad1fec173ecd0a604cb7322d7b09d5a8d18a9b8db540",
    "stopping": "5afadb2a953ecbdc8bd8b93f69fdd23c696c6c316663d21b1a1939a6985b6a69",
    "sweep": "d27e69c30774111f878341745b0e7de94ab1112c3efa7a9f11da2c31d47192c3",
    "training": "50e002cdfd83f11805e433a30e35acd53887487b998f2eb476f6c915d5e5a37b",
    "past/article-reduced": "c7ac0d32c02eb88749ef0fe7ba7bf45adb5fb719ec6b8d940b5b16f227a686cb",
    "past/stopping": "f37ce298bab3c5890e3f8ae8a14f4f50eb5815d7862807986eca5b60e9aaa082",
}
# A new key is right where a suite, a preset's settings or a component's version was changed on
# purpose; then take over what the failure shows.
NEEDED = {
    "development": "cbsd68",
    "fills-11": "inpainting-11",
    "paper-inpainting": "inpainting-11",
    "paper-inpainting-256": "inpainting-11",
    "paper-kate": "dip-examples",
}
# The fills whose keys are in KEYS, at their defaults. A new fill adds jobs to `fill: all` and
# leaves these keys.
FILLS = ["mean", "nearest", "harmonic", "biharmonic", "telea", "navier-stokes", "total-variation"]


# By suite: the SHA-256 of the networks' parts of its keys, which can be computed without images.
NETWORKS = {
    "architectures": "f0c34534fbae0cf53ecd8b73c012c746cc7834be6877e503e992d1a2f36dda7f",
    "article": "506b06da92a8a525e46b520debc50f9c32ef2e91224f347f3cf10209186d624a",
    "article-reduced": "3fb7b6495cf28041399d5422d0da70d1ca2f0d00ba1999969c169680e76f5e63",
    "development": "c671733ad87586619219c5652a260a741aa833987f295f59d2f30fc2350397b1",
    "fills-11": "a05faf6afabc0b4ffdab9f821fd8667d46747da2b0585219684967a7a34b2d42",
    "paper-inpainting": "f69c1906c07e837703b1d656a5bfa4363e566186bc53c73e07a8a3202ed1c288",
    "paper-inpainting-256": "f69c1906c07e837703b1d656a5bfa4363e566186bc53c73e07a8a3202ed1c288",
    "paper-kate": "c8582e800604ce7d68220ef097774a8209e118d24802615e1477f82d1f65ff4e",
    "portraits": "c671733ad87586619219c5652a260a741aa833987f295f59d2f30fc2350397b1",
    "quick": "7c53098fe1a95469a32fbafb7b736a4a0956c7bcf912f0f40e07c7d255dba840",
    "receptive-field": "7b84138595d3a188232bd72c3b22ebac74034865af6273ce5430659858d72ec2",
    "regression": "1bc2f1a56598d475f202e572c9bc5c4fcf0e1e3d3159f397f836bfd49382bfe9",
    "standard": "627014e3e74794eb4d8d4679764da1ccffc59cea032cb68cf83f42c8cceafc4d",
    "standard-reduced": "a3a98a61baa0ff2d8964922126f38a24f1e130a3bd520bc717f6becc63392a7d",
    "stopping": "130de07f27d4852cc4bfcc8c264d1eaf4f78c9762fdbaab88d3e03aedfc00c51",
    "sweep": "18e9c73d1ceea5efbc309d58f343a69c5d590b775abc13da331aa60ab610a002",
    "training": "6df8a17000831a96260e06425204c6afbc70c07832e7046de6ed466db842059d",
    "past/article-reduced": "3fb7b6495cf28041399d5422d0da70d1ca2f0d00ba1999969c169680e76f5e63",
    "past/stopping": "b83747c808190e7c3d58667d59384c2078fdf8f1e4001bb864603efd7f782d21",
}


# Those that come with the project, and those that published results were made with.
PUBLISHED = ROOT / "reports" / "published"
SUITES = {name: name for name in suite_names()} | {
    f"past/{path.parent.name}": str(path) for path in sorted(PUBLISHED.glob("*/suite.yaml"))
}


@pytest.mark.parametrize("name", SUITES)
def test_the_keys_of_a_suites_networks_stay_the_same(name: str) -> None:
    suite = load_suite(SUITES[name])
    parts: list[Any] = [suite.engine, suite.precision, suite.deterministic]
    for entry in suite.methods:
        for _, method in entry.expand():
            if isinstance(method, Method):
                parts.append([canonical(method), method.versions])
    assert sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest() == NETWORKS[name]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=needs(*NEEDED.get(name, "").split())) for name in SUITES],
)
def test_the_keys_of_a_suite_are_what_they_were(name: str) -> None:
    jobs = expand(load_suite(SUITES[name]))
    keys = "".join(job.key for job in jobs if _is_in_keys(job.method))
    assert sha256(keys.encode()).hexdigest() == KEYS[name]


def _is_in_keys(method: AnyMethod) -> bool:
    return not isinstance(method, Fill) or method in [ALL_FILLS[name] for name in FILLS]


def test_a_key_names_the_trajectory_and_nothing_else(suite_file: Write) -> None:
    def key(**changes: Any) -> str:
        return expand(load_suite(str(suite_file(**changes))))[0].key

    base = key()
    method = TINY["methods"][0]
    same = [
        {"title": "another title", "expect": "nothing"},
        {"iterations": [2, 4, 8]},
        {"metrics": ["psnr"]},
        {"rules": []},
        {"rules": [{"es-wmv": {"window": 5}}]},
        {"methods": [{**method, "label": "named otherwise"}]},
    ]
    other = [
        {"size": 40},
        {"images": ["coffee"]},
        {"seeds": [1]},
        {"masks": [{"boxes": {"count": 1, "side": 9}}]},
        {"masks": [{"boxes": {"count": 1, "side": 8, "seed": 1}}]},
        *(
            {"methods": [{**method, "set": {**method["set"], **setting}}]}
            for setting in (
                {"learning_rate": 0.02},
                {"loss": "absolute"},
                {"total_variation": 0.01},
                {"held_out": 0.05},
                {"optimizer.name": "sgd"},
                {"optimizer.weight_decay": 0.1},
                {"schedule.every": 10},
                {"backtracking.every": 10},
                {"parameter_noise": 0.02},
                {"sgld_noise": 2},
                {"input_noise": 0.5},
            )
        ),
    ]
    assert [key(**changes) for changes in same] == [base] * len(same)
    assert len({base, *(key(**changes) for changes in other)}) == 1 + len(other)


def test_a_new_version_of_a_loss_changes_only_the_keys_of_its_runs(
    suite_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = TINY["methods"][0]
    files = {
        loss: suite_file(loss, methods=[{**method, "set": {**method["set"], "loss": loss}}])
        for loss in ("squared", "absolute")
    }
    before = {loss: expand(load_suite(str(file)))[0].key for loss, file in files.items()}
    monkeypatch.setattr(LOSSES["absolute"], "VERSION", 2)
    after = {loss: expand(load_suite(str(file)))[0].key for loss, file in files.items()}
    assert after["squared"] == before["squared"]
    assert after["absolute"] != before["absolute"]


def test_the_key_format_stands(suite_file: Write) -> None:
    """Stored runs are found again by this; a change here makes every stored run unfindable."""
    (job,) = (j for j in expand(load_suite(str(suite_file()))) if j.method_label == "mean")
    assert set(job.trajectory) == {
        *("image", "mask", "method", "versions", "seed"),
        *("engine", "precision", "deterministic"),
    }
