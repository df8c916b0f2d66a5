"""What all options share: they are frozen, refuse unknown keys, and take numbers as numbers."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SMALLEST, GREATEST = 1e-30, 1e30  # in size, of numbers: they and their inverses are float32
LONGEST = 10**9  # of iterations: as good as without a bound
LARGEST = 10**4  # of channels, layers and pixels, beyond which there is no memory for it


class Options(BaseModel):
    """Frozen options that refuse a key they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _of_plain_numbers(cls, values: Any) -> Any:
        return plain_numbers(values)


def plain_numbers(value: Any) -> Any:
    """Python's own numbers and lists for NumPy's and torch's, inside dictionaries and lists too."""
    if isinstance(value, dict):
        return {key: plain_numbers(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(plain_numbers, value))
    return value.tolist() if hasattr(value, "tolist") else value


def _odd(value: int) -> int:
    if value < 1 or value % 2 == 0:
        raise ValueError(f"a kernel size is a positive odd number, not {value}")
    return value


def _a_number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"a number is needed, not {str(value).lower()}")
    if isinstance(value, str):
        raise ValueError(f"a number is needed, not the text {value!r}")
    return value


def _within_float32(value: float) -> float:
    if value and not SMALLEST <= abs(value) <= GREATEST:
        raise ValueError(f"a number is 0, or from {SMALLEST:.0e} to {GREATEST:.0e} in size")
    return value


def as_seed(value: object) -> int:
    """A seed as it is; raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"a whole number from 0 to 2^63 - 1, not {value!r}")
    return value


# Not strict: numbers of NumPy are numbers.
Number = Annotated[float, BeforeValidator(_a_number), AfterValidator(_within_float32)]
Seed = Annotated[int, BeforeValidator(as_seed)]
# Strict: YAML's `true` and "3" are no numbers of things.
PositiveInt = Annotated[int, Field(strict=True, gt=0, le=LONGEST)]
Count = Annotated[int, Field(strict=True, gt=0, le=LARGEST)]
KernelSize = Annotated[int, Field(strict=True, le=LARGEST), AfterValidator(_odd)]
Size = tuple[int, int]  # height, width
EngineName = Literal["plain", "fast"]  # described in `dip.engine`
Precision = Literal["float32", "float64", "tf32", "bfloat16"]
Channels = Annotated[tuple[Count, ...], Field(min_length=1)]
SkipChannel = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
SkipChannels = Annotated[tuple[SkipChannel, ...], Field(min_length=1)]
