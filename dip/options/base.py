"""What all options share: they are frozen, refuse unknown keys, and take numbers as numbers."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Options(BaseModel):
    """Frozen options that refuse a key they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _odd(value: int) -> int:
    if value < 1 or value % 2 == 0:
        raise ValueError(f"a kernel size is a positive odd number, not {value}")
    return value


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"a number is needed, not {str(value).lower()}")
    return value


# Not strict: YAML reads 1e-3 as text.
Number = Annotated[float, BeforeValidator(_no_truth_value)]
# Strict: YAML's `true` and "3" are no numbers of things.
PositiveInt = Annotated[int, Field(strict=True, gt=0)]
KernelSize = Annotated[int, Field(strict=True), AfterValidator(_odd)]
Size = tuple[int, int]  # height, width
EngineName = Literal["plain", "fast"]  # described in `dip.engine`
Precision = Literal["float32", "float64", "tf32", "bfloat16"]
Channels = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
SkipChannels = Annotated[tuple[Annotated[int, Field(strict=True, ge=0)], ...], Field(min_length=1)]
