"""The cores that a process may use."""

from pathlib import Path

import pytest

from benchmarks.system import environment


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 4), ("200000 100000", 2), ("150000 100000", 1), ("20000 100000", 1), ("", 4)],
)
def test_a_containers_quota_counts(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(environment, "CGROUP", tmp_path)
    assert environment.cpu_count() == 4  # where there is no such file
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert environment.cpu_count() == cores
