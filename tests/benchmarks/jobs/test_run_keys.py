"""Run keys: a change of the code leaves stored runs valid, unless it counts up a version."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.needs import needs
from support.suites import TINY

from benchmarks.jobs.job import expand
from benchmarks.jobs.suite import load_suite, suite_names
from dip.options import Method

Write = Callable[..., Path]

# Of each suite, the SHA-256 of its jobs' keys one after the other.
KEYS = {
    "architectures": "815ab9c9e87c2ac1ed35b666e02a182c09ce2499f887c353c2cfa4b5497e2987",
    "article": "2fddf4b983c0c08c360f770f37f7c9b16c013e176463f94731fdfcb0c8009337",
    "article-reduced": "c7ac0d32c02eb88749ef0fe7ba7bf45adb5fb719ec6b8d940b5b16f227a686cb",
    "paper-inpainting": "984f31648d3d80937d587c4492aa811e258e46605d2da4a00042498043ed1961",
    "paper-inpainting-256": "13bdd68d389c4bda6646d1edad1da75267b8552fd424c3443b3a9a876d6813e4",
    "paper-kate": "7a3259f2bff085d025934dee9f3208ee4f274050f18f7368dc6c435e16388592",
    "quick": "cc3b9e2ad81b62b4b128a106a5468c00475f3414fc32be636b5780dd8132b615",
    "receptive-field": "9227689d217b1178da754f057a853acd0be4516e0ab842656265265ca679ea1f",
    "regression": "0cd4475bf97ef0727891b22fdf2cad681bf71a8a75c96be646895bc75cd64e16",
    "standard": "212c6789feed38894d2fd0ba03504fc5906eafc3829dba6230edea841d035191",
    "standard-reduced": "8c28a782a5a134b1df9082fe2450b2240a5429bcb78a73c2e3476109a687f06b",
    "stopping": "f37ce298bab3c5890e3f8ae8a14f4f50eb5815d7862807986eca5b60e9aaa082",
    "sweep": "42b2235a739c6091d8e0bc9e4d93776a1377eb66067d5167ab8498cabbc0b3ed",
    "training": "50e002cdfd83f11805e433a30e35acd53887487b998f2eb476f6c915d5e5a37b",
}
# A new key is right where a suite, a preset's settings or a component's version was changed on
# purpose; then take over what the failure shows.
NEEDED = {
    "paper-inpainting": "inpainting-11",
    "paper-inpainting-256": "inpainting-11",
    "paper-kate": "dip-examples",
}
# Those in the keys above: with another fill `fill: all` has more jobs, and these keep their keys.
FILLS = ["mean", "nearest", "harmonic", "biharmonic", "telea", "navier-stokes", "total-variation"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=needs(*NEEDED.get(name, "").split())) for name in suite_names()],
)
def test_the_keys_of_a_suite_are_what_they_were(name: str) -> None:
    jobs = expand(load_suite(name))
    keys = "".join(job.key for job in jobs if isinstance(job.method, Method) or job.method in FILLS)
    assert sha256(keys.encode()).hexdigest() == KEYS[name]


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


def test_the_key_format_stands(suite_file: Write) -> None:
    """Stored runs are found again by this; a change here makes every stored run unfindable."""
    (job,) = (j for j in expand(load_suite(str(suite_file()))) if j.method == "mean")
    assert set(job.trajectory) == {
        *("image", "mask", "method", "versions", "seed"),
        *("engine", "precision", "deterministic"),
    }
