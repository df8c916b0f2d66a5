"""Names of the ways to compute a fit; `dip.engine` says what they are."""

from typing import Literal

EngineName = Literal["plain", "fast"]
Precision = Literal["float32", "float64", "tf32", "bfloat16"]
