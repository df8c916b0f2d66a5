"""Every random draw comes from a generator seeded by (seed, purpose), never from a global one."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import torch

from dip.errors import InputError


def check_seed(seed: Any) -> int:
    """The seed as Python's int; raises InputError unless it is a whole number in range."""
    is_whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not (is_whole and 0 <= int(seed) < 2**63):
        raise InputError(f"`seed`: a whole number from 0 to 2^63 - 1, not {seed!r}")
    return int(seed)


def derived_seed(seed: int, purpose: str) -> int:
    """A seed of 63 bits that differs between purposes and is the same on every machine."""
    digest = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for one purpose of one fit."""
    return torch.Generator(device).manual_seed(derived_seed(seed, purpose))


@contextmanager
def seeded_globally(seed: int, purpose: str) -> Iterator[None]:
    """For code that only draws from torch's global CPU generator, as layers do when initialised.

    The generator's state is put back afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which seeds every GPU too.
        torch.default_generator.manual_seed(derived_seed(seed, purpose))
        yield
