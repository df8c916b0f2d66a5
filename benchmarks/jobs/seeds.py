"""The seeds of a suite: the same for all images, or drawn from each image.

One seed gives all images of a size the same first weights and the same noise. What it does is then
common to all images, and in no interval over images; with `per-image` it differs between them.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from pydantic import PlainValidator

from datasets import Image
from dip.errors import unknown
from dip.options.base import as_seed

PER_IMAGE = "per-image"
MOST_PER_IMAGE = 1000  # of more, two seeds of 32 bits may well be the same


@dataclass(frozen=True)
class PerImage:
    """A seed of a suite that is another number for every image.

    index: which of the suite's seeds it is, from 0.
    """

    index: int

    def of(self, image: Image) -> int:
        """The 32-bit seed of the jobs of an image, from the index and the decoded pixels."""
        return int(sha256(f"{self.index}:{image.sha256}".encode()).hexdigest()[:8], 16)


def parse_seeds(entry: Any) -> Any:
    """The seeds of a suite as a list.

    Args:
        entry: a list, which is left as it is, `per-image` or `{per-image: 3}`.

    Raises:
        ValueError: it is something else, or the count is none.
    """
    if isinstance(entry, str) and entry != PER_IMAGE:
        raise ValueError(unknown("seeds", entry, [PER_IMAGE]))
    if isinstance(entry, dict) and list(entry) != [PER_IMAGE]:
        raise ValueError(f"takes a list, '{PER_IMAGE}' or {{{PER_IMAGE}: 3}}, not {entry!r}")
    if not isinstance(entry, str | dict):
        return entry
    count = 1 if isinstance(entry, str) else entry[PER_IMAGE]
    if type(count) is not int or not 1 <= count <= MOST_PER_IMAGE:
        number = str(count).lower() if isinstance(count, bool) else repr(count)
        raise ValueError(
            f"{PER_IMAGE}: a whole number from 1 to {MOST_PER_IMAGE} is needed, not {number}"
        )
    return [PerImage(index) for index in range(count)]


def _parse_seed(entry: Any) -> int | PerImage:
    return entry if isinstance(entry, PerImage) else as_seed(entry)


SuiteSeed = Annotated[int | PerImage, PlainValidator(_parse_seed)]
