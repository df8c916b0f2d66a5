"""A suite's question as it was resolved: what `suite.json` keeps and reports judge."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PARTS_OF_HISTORY = {"sha256", "fits", "asked_after"}


class Asked(BaseModel):
    """The comparisons that were planned. Only they get a verdict.

    Attributes:
        score: column of results.csv.
        outputs: of each compared method the output that stands for it.
        reference: the method that others are compared with.
        planned: pairs of methods; the first is compared with the second.
        holes: `mean`: holes are averaged within an image; `each`: one comparison for each hole.
        margin: differences up to this size make no difference in practice, in the score's unit.
        sha256: hash of the question with its images, holes and methods; empty for a question that
            is put to results of a suite without one.
        fits: how many fits of the suite are stored.
        asked_after: how many of them began before this question was asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: str
    outputs: dict[str, str]
    reference: str
    planned: tuple[tuple[str, str], ...] = Field(min_length=1)
    holes: Literal["mean", "each"]
    margin: float = Field(gt=0)
    sha256: str = ""
    fits: int = 0
    asked_after: int = 0

    @property
    def notice(self) -> str:
        """Says that fits were made before the question was asked; empty if none was."""
        if not self.asked_after:
            return ""
        return f"This question was asked after {self.asked_after} of {self.fits} fits were made."

    @model_validator(mode="after")
    def _has_all_outputs(self) -> "Asked":
        if lacking := {method for pair in self.planned for method in pair} - {*self.outputs}:
            raise ValueError(f"'{min(lacking)}' has no output")
        return self
