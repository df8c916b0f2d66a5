"""Iterations in blocks, on a CPU."""

from typing import Any

import pytest

from dip.engine.engine import Engine


def read_every(monkeypatch: pytest.MonkeyPatch, iterations: int) -> None:
    """Let every engine read the loss once in so many iterations, as a GPU's does."""
    init = Engine.__init__

    def reading_later(engine: Engine, *arguments: Any) -> None:
        init(engine, *arguments)
        engine.read_every = iterations

    monkeypatch.setattr(Engine, "__init__", reading_later)
