"""How much memory is free."""

from pathlib import Path

import pytest

from dip.system import memory
from dip.system.memory import free_bytes


def test_what_is_free_is_that_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path / "none")
    outside = free_bytes()
    if outside is None:
        pytest.skip("this system does not say what is free")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "memory.current").write_text("7000\n")
    (tmp_path / "memory.stat").write_text("anon 1000\ninactive_file 4000\n")
    (tmp_path / "memory.max").write_text("10000\n")
    assert free_bytes() == 10_000 - 7000 + 4000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes() == pytest.approx(outside, rel=0.5)
