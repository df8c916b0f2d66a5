"""Run keys: a change of the code leaves stored runs valid, unless it counts up a version."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from support.needs import needs
from support.suites import TINY

from benchmarks.jobs.job import expand
from benchmarks.jobs.suite import load_suite, suite_names
from dip.options import LOSSES
from dip.options.canonical import canonical

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


# Of each suite, the SHA-256 of what its keys say of its methods, which needs no images.
METHODS = {
    "architectures": "fee3fb6e6052aecca13b10bf14efd66c1d0df760d501ddb2302a0c4aa398e69c",
    "article": "7275e03bcce79324f67341c4308911bf7772fb1f175d1e41d5757c4abe0698d1",
    "article-reduced": "115904e6b01e0c11294d18cd9fd26f9b184416b479ce389a835f0a5d2bd51445",
    "paper-inpainting": "199c9cc0feda10012d9092950690cc21fe0215889779aebc438c746474ae13ed",
    "paper-inpainting-256": "199c9cc0feda10012d9092950690cc21fe0215889779aebc438c746474ae13ed",
    "paper-kate": "dde7da7070e4ff11a06d9a0119d124ca7c097e9795baeadf47f6a35d483d7463",
    "quick": "5532ac6521b12d3b63a644d37af2f7d924f669c02cbba215fcab1cb63a196ea7",
    "receptive-field": "2250e55c73d4888967c6024ae68e96005accd8b06005a64d4663cc45697897cd",
    "regression": "ba77edd6790dcb5fe6dc9591ba5baded267c957d45463de5aed6c3d255e245b4",
    "standard": "db72fb1e833200b1dfa9be5afc071be9622920cf94b1559381ef9e0bd6f4bf60",
    "standard-reduced": "71b8a0bd26211be993eec04ebd475a0fbddb282d25e01b8391ce31dcb50d7d20",
    "stopping": "c9fe04981f23cd1b009df5e247df2fb73a66bfa85434c44824f5237ba14a0fe4",
    "sweep": "4febf2401da0311f8ce00054b1d0484bbf166459ee45002add3f137573a732e5",
    "training": "ef9869c855ec02fa5bcae0aee87cad84fbb52ccd9cd7b3bd7a14c6cff1bd4849",
}


@pytest.mark.parametrize("name", suite_names())
def test_the_methods_of_a_suite_are_what_they_were(name: str) -> None:
    suite = load_suite(name)
    parts = [suite.engine, suite.precision, suite.deterministic]
    for entry in suite.methods:
        for _, method in entry.expand():
            is_fill = isinstance(method, str)
            parts.append(method if is_fill else [canonical(method), method.versions])
    found = sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    assert found == METHODS[name]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=needs(*NEEDED.get(name, "").split())) for name in suite_names()],
)
def test_the_keys_of_a_suite_are_what_they_were(name: str) -> None:
    keys = "".join(job.key for job in expand(load_suite(name)))
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


def test_a_new_version_of_a_loss_is_in_the_keys_of_its_runs_only(
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
    (job,) = (j for j in expand(load_suite(str(suite_file()))) if j.method == "mean")
    assert set(job.trajectory) == {
        *("image", "mask", "method", "versions", "seed"),
        *("engine", "precision", "deterministic"),
    }
