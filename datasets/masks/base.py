"""Base classes of all holes: settings, a label, and where random numbers come from.

Holes are the same to the last pixel on every machine and with every version of numpy: draws come
from its frozen `RandomState`, and from there on everything is whole numbers, or additions,
multiplications and divisions, which IEEE 754 fixes.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar
from unicodedata import normalize

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from datasets.errors import DatasetError
from datasets.images import Image, Known

PositiveInt = Annotated[int, Field(strict=True, gt=0, le=100_000)]  # pixels, pieces
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]


def _two_numbers(entry: Any) -> Any:
    if not isinstance(entry, list | tuple) or len(entry) != 2:
        raise ValueError(f"is two shares, as [0.1, 0.2], not {entry!r}")
    return tuple(entry)


def _in_order(fraction: tuple[float, float]) -> tuple[float, float]:
    low, high = fraction
    if not 0 <= low <= high <= 1:
        raise ValueError(f"goes from a share to a larger one, both in [0, 1], not {list(fraction)}")
    if high == 0 or low == 1:
        raise ValueError(f"would leave {'no hole' if high == 0 else 'nothing known'}")
    return fraction


HoleFraction = Annotated[
    tuple[Annotated[float, Field(strict=True)], Annotated[float, Field(strict=True)]],
    BeforeValidator(_two_numbers),
    AfterValidator(_in_order),
]
HOLE_FRACTION = "[least, largest] share of missing pixels that is asked for"


class Mask(BaseModel, ABC):
    """Settings of one kind of hole; `draw` makes the hole.

    Attributes:
        kind: its name in suites. A base class of several holes has none.
        order: position in lists; holes without one come last, by name.
        amount: the setting that hole_fraction can replace, or empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str]
    order: ClassVar[float] = inf
    amount: ClassVar[str] = ""
    _label: str = PrivateAttr("")

    @abstractmethod
    def draw(self, image: Image) -> Known:
        """(H, W), True = known; raises DatasetError where the settings do not fit the image."""

    def within(self, _: Path) -> "Mask":
        """The same hole, its relative paths resolved from a folder; most holes have no paths."""
        return self

    def labelled(self, label: str) -> "Mask":
        """The same hole under a name of its own."""
        mask = self.model_copy()
        mask._label = label
        return mask

    @property
    def label(self) -> str:
        """Its own name, or the kind with the settings given: `bernoulli[missing=0.5]`."""
        if self._label:
            return self._label
        last = ("hole_fraction", "seed")
        names = [*(name for name in type(self).model_fields if name not in last), *last]
        given = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        settings = ",".join(f"{k}={_short(v)}" for k, v in given.items() if v is not None)
        return f"{self.kind}[{settings}]" if settings else self.kind

    @model_validator(mode="after")
    def _one_amount(self) -> "Mask":
        amount = getattr(self, self.amount, None)
        if getattr(self, "hole_fraction", None) is None:
            if self.amount and amount is None:
                raise ValueError(f"needs {self.amount}, or hole_fraction")
        elif amount is not None and self.amount in self.model_fields_set:
            raise ValueError(f"hole_fraction and {self.amount} exclude each other")
        return self


class Drawn(Mask):
    """A hole that is drawn at random."""

    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = Field(
        0, description="another seed, another hole"
    )

    def draw(self, image: Image) -> Known:
        name = normalize("NFC", image.name)  # macOS may take an é for an e and an accent
        purpose = f"{self.kind}:{self.seed}:{name}".encode()
        words = np.frombuffer(hashlib.sha256(purpose).digest(), dtype=">u4").astype(np.uint32)
        return self.known(image.height, image.width, RandomState(words))

    @abstractmethod
    def known(self, height: int, width: int, random: RandomState) -> Known:
        """As `draw`."""


Piece = tuple[slice, slice, NDArray[np.int64]]
"""Rows, columns, and there: -1 = not in the piece, else the order in which its pixels come."""


class Pieces(Drawn):
    """A hole of pieces that are laid over the image one after the other; they may overlap."""

    amount: ClassVar[str] = "count"

    hole_fraction: HoleFraction | None = Field(None, description=HOLE_FRACTION)

    @abstractmethod
    def pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        """As many as the settings say."""

    @abstractmethod
    def endless_pieces(self, height: int, width: int, random: RandomState) -> Iterator[Piece]:
        """As many as are asked for; together they leave no pixel out."""

    def known(self, height: int, width: int, random: RandomState) -> Known:
        known = np.ones((height, width), dtype=np.bool_)
        if self.hole_fraction is None:
            for rows, columns, order in self.pieces(height, width, random):
                known[rows, columns] &= order < 0
            return known
        least, most = missing_pixels(self, self.hole_fraction, height, width)
        wanted = random.randint(least, most + 1)
        missing = 0
        for rows, columns, order in self.endless_pieces(height, width, random):
            before = known[rows, columns].copy()
            known[rows, columns] &= order < 0
            missing += int((before & (order >= 0)).sum())
            if missing > most:  # the last piece is cut off in its order
                added = np.flatnonzero(before & (order >= 0))
                added = added[np.argsort(order.ravel()[added], kind="stable")]
                cut = before.ravel()
                cut[added[: len(added) - (missing - wanted)]] = False
                known[rows, columns] = cut.reshape(before.shape)
            if missing >= wanted:
                break
        return known


def missing_pixels(
    mask: Mask, fraction: tuple[float, float], height: int, width: int
) -> tuple[int, int]:
    """The least and the largest number of missing pixels; both are in the range."""
    pixels = height * width
    low, high = fraction
    least, most = round(low * pixels), round(high * pixels)  # which rounding may have moved by one
    least = max(1, least if least / pixels >= low else least + 1)
    most = min(pixels - 1, most if most / pixels <= high else most - 1)
    if least > most:
        raise DatasetError(
            f"{mask.kind}.hole_fraction: no number of pixels of {width}x{height} is a share of"
            f" {low} to {high}; make the range wider"
        )
    return least, most


def first_missing(order: NDArray[Any], missing: int) -> Known:
    """(H, W) -> the mask in which the pixels of lowest order are missing; ties row by row."""
    known = np.ones(order.size, dtype=np.bool_)
    known[np.argsort(order.ravel(), kind="stable")[:missing]] = False
    return known.reshape(order.shape)


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return value.as_posix() if isinstance(value, Path) else str(value)
