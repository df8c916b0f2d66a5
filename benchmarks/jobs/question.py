"""The question of a suite: which comparisons were planned, in which score, against which method.

Only planned comparisons get a verdict. All others are exploratory.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator, Field

from benchmarks.jobs.methods import parsed
from benchmarks.metrics import METRICS
from benchmarks.store.asked import Asked
from dip.errors import InputError, unknown
from dip.options import Options, parse_output
from dip.options.base import Number

Label = Annotated[str, AfterValidator(lambda label: normalize("NFC", label))]
SCORES = {f"{name}_{metric.region}": name for name, metric in METRICS.items()}


def _comparison(entry: Any) -> Any:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry):
        return tuple(entry)
    raise ValueError(f"must be a method's label, or a pair of them, e.g. [a, b], not {entry!r}")


class Question(Options):
    """What a suite asks; `resolve` says which comparisons that are."""

    score: str = Field("psnr_hole", description="a score that reports show")
    output: Annotated[str, parsed(lambda entry: parse_output(entry).label)] = Field(
        "averaged", description="the output that stands for a network"
    )
    reference: Label
    compare: list[Annotated[Label | tuple[Label, Label], BeforeValidator(_comparison)]] | None = (
        Field(None, min_length=1, description="a label: with the reference; [a, b]: a with b")
    )
    holes: Literal["mean", "each"] = "mean"
    margin: Annotated[Number, Field(gt=0)]

    def resolve(
        self,
        networks: Mapping[str, str | None],
        fills: Collection[str],
        *,
        partial: Collection[str] = (),
        outputs: Collection[str],
        metrics: Collection[str],
    ) -> Asked:
        """Look up what the question names.

        Args:
            networks: by label the output that stands for it; None: that of the question.
            fills: labels of the others, whose output is `raw`.
            partial: labels of methods that run on some images only; they cannot be compared.
            outputs: the outputs that are scored of all networks.
            metrics: the metrics that are computed.

        Returns:
            The question with its planned comparisons, without its hash.

        Raises:
            InputError: it names what is not there, or a comparison that makes no sense. The message
                begins with the key, as `question.reference: `.
        """
        scores = [score for score, metric in SCORES.items() if metric in metrics]
        if self.score not in scores:
            if metric := SCORES.get(self.score):
                what = f"'{self.score}' needs the metric {metric}; add it to metrics"
                raise InputError(f"question.score: {what}")
            raise InputError(f"question.score: {unknown('score', self.score, scores)}")
        known = [*networks, *fills]
        named = {"question.reference": [self.reference]} | {
            f"question.compare[{index}]": [entry] if isinstance(entry, str) else [*entry]
            for index, entry in enumerate(self.compare or ())
        }
        for place, labels in named.items():
            for label in labels:
                if label in partial:
                    what = f"'{label}' runs on some images only, and is not compared"
                    raise InputError(f"{place}: {what}; leave out its images")
        if self.reference not in known:
            raise InputError(f"question.reference: {unknown('method', self.reference, known)}")
        planned = self._planned(networks)
        seen: set[frozenset[str]] = set()
        for place, pair in planned:
            for method in pair:
                if method not in known:
                    raise InputError(f"{place}: {unknown('method', method, known)}")
            if pair[0] == pair[1]:
                raise InputError(f"{place}: '{pair[0]}' is compared with itself; leave it out")
            if frozenset(pair) in seen:
                first, second = pair
                raise InputError(f"{place}: '{first}' and '{second}' are compared twice")
            seen.add(frozenset(pair))
            needs_output = any(method in networks and not networks[method] for method in pair)
            if needs_output and self.output not in outputs:
                what = f"'{self.output}' is not asked for; add it to outputs, or use one of them"
                raise InputError(f"question.output: {what}: {', '.join(outputs)}")
        return Asked(
            score=self.score,
            outputs={
                method: (networks[method] or self.output) if method in networks else "raw"
                for method in dict.fromkeys(method for _, pair in planned for method in pair)
            },
            reference=self.reference,
            planned=tuple(pair for _, pair in planned),
            holes=self.holes,
            margin=self.margin,
        )

    def _planned(self, networks: Collection[str]) -> list[tuple[str, tuple[str, str]]]:
        """Each comparison with its place in the file."""
        if self.compare is None:
            others = [label for label in networks if label != self.reference]
            if not others:
                raise InputError(
                    f"question: there is no network to compare with '{self.reference}';"
                    " name methods under compare"
                )
            return [("question", (label, self.reference)) for label in others]
        return [
            (
                f"question.compare[{index}]",
                (entry, self.reference) if isinstance(entry, str) else entry,
            )
            for index, entry in enumerate(self.compare)
        ]
