"""What a suite's results say, in a few sentences: what was run, what was found, what stays open."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from benchmarks.scoring.results import Results, Score
from benchmarks.store.asked import Asked
from benchmarks.system.text import counted
from reports.tables.leaderboard import score_of
from reports.tables.question import difference_of, listed, quoted, with_unit
from reports.tables.table import Table, seconds, shown

NAMED = 4  # comparisons that a sentence names; of more it says how many
OPEN = "inconclusive"
REGIONS = {"hole": "in the hole", "full": "of the output", "composited": "of the composited image"}
VERDICTS = ("better", "worse", "equivalent", OPEN)


def findings(results: Results, leaderboard: Table, answer: Table | None) -> list[str]:
    """Put the results of a suite into sentences.

    Args:
        results: results of a suite.
        leaderboard: `leaderboard` of the same results.
        answer: `question.judged` of the same results; None where nothing is asked.

    Returns:
        Plain text, up to three entries: what was run, what was found, what it cost and who is not
        ranked. Only planned comparisons are called better, worse or equivalent.
    """
    score = score_of(results)
    if answer is None or results.question is None:
        answers = [_highest(leaderboard.numbers, score)]
    else:
        answers = _answers(answer.numbers, results.question, score, has_fits=bool(results.networks))
    costs = [_cost(results, leaderboard.numbers), _gaps(results, leaderboard.numbers)]
    parts = [_run(results, score), " ".join(answers), " ".join(filter(None, costs))]
    return [part for part in parts if part]


def _run(results: Results, score: Score) -> str:
    """What was compared, on what, by which score."""
    jobs = results.jobs
    networks = [name for name in jobs["method"].unique() if name in results.networks]
    fills = jobs["method"].nunique() - len(networks) - len(results.pictures)
    compared = []
    if networks:
        compared.append(counted(len(networks), "network") + _iterations(results, networks))
    if fills:
        compared.append(f"{counted(fills, 'fill')} without a network")
    if results.pictures:
        names = [quoted(name) for name in jobs["method"].unique() if name in results.pictures]
        compared.append(f"the published pictures of {listed(names)}")
    sizes = results.rows[["width", "height"]].drop_duplicates()
    size = " of {}x{} pixels".format(*sizes.iloc[0]) if len(sizes) == 1 else ""
    names = [quoted(hole) for hole in jobs["mask"].unique()]
    holes = f"{len(names)} kinds of hole"
    if len(names) <= NAMED:
        holes = f"the hole{'s' if len(names) > 1 else ''} {listed(names)}"
    return (
        f"Compared: {listed(compared)}, on"
        f" {counted(jobs['image'].nunique(), 'image')}{size} with {holes}."
        f" The score is {_in_words(score)}."
    )


def _iterations(results: Results, networks: Sequence[str]) -> str:
    """` (quick and unet, after 400 iterations)`, or after how many each; of many the range."""
    last = {quoted(name): results.last_of(name) for name in networks}
    low, high = min(last.values()), max(last.values())
    if len(networks) > NAMED:
        return f" (after {low if low == high else f'{low} to {high}'} iterations)"
    if low == high:
        return f" ({listed([*last])}, after {low} iterations)"
    first, *others = (f"{name} after {count}" for name, count in last.items())
    return f" ({', '.join([f'{first} iterations', *others])})"


def _in_words(score: Score) -> str:
    """`PSNR in the hole`."""
    metric, _, region = score.column.rpartition("_")
    lower = "" if score.is_better_higher else ", where less is better"
    return f"{metric.upper()} {REGIONS[region]}{lower}"


def _answers(numbers: pd.DataFrame, asked: Asked, score: Score, *, has_fits: bool) -> list[str]:
    """A sentence for each verdict, with its comparisons."""
    rows = numbers.to_dict("records")
    sentences, has_brackets = [], False
    # In the order of the plan, so that the comparison that matters most comes first.
    for verdict in dict.fromkeys(row["verdict"] for row in rows if row["verdict"] in VERDICTS):
        own = [row for row in rows if row["verdict"] == verdict]
        if len(own) > NAMED:
            sentences.append(_many(own, len(rows), verdict, score))
        else:
            has_brackets |= any(pd.notna(row["low"]) for row in own)
            text = "; ".join(_clause(row, asked, score) for row in own)
            # A name stands as it is, also where a sentence begins with it.
            sentences.append(f"{text[0].upper() if verdict == OPEN else text[0]}{text[1:]}.")
    judged = [row for row in rows if row["verdict"] in VERDICTS]
    sentences += _intervals(judged, has_brackets=has_brackets)
    if judged and not has_fits:
        sentences.append("Only fits record when a question was asked; nothing was fitted.")
    elif judged and not asked.asked_after:
        what = "this comparison" if len(rows) == 1 else "these comparisons"
        sentences.append(f"The suite stated {what} before its fits.")
    if reasons := [row["reason"] for row in rows if row["reason"]]:
        of = counted(len(rows), "planned comparison")
        first, *others = dict.fromkeys(reasons)
        why = f"{first}; ..." if others else first
        sentences.append(f"Not judged: {len(reasons)} of {of} ({why}).")
    return sentences


def _intervals(judged: Sequence[dict[Any, Any]], *, has_brackets: bool) -> Iterator[str]:
    """What the intervals are; has_brackets: whether the sentences before have any."""
    hold = f"wide enough for all {len(judged)} to hold at once"
    if not judged:
        return
    if all(pd.isna(row["low"]) for row in judged):
        yield "One image gives no interval."
    elif len(judged) == 1:
        yield "In brackets: its 95 % interval."
    elif has_brackets:
        yield f"In brackets: 95 % intervals, {hold}."
    else:
        yield f"Verdicts are read off 95 % intervals, {hold}."


def _clause(row: dict[Any, Any], asked: Asked, score: Score) -> str:
    """`quick is better than biharmonic (+1.54 dB [0.57, 2.74])`."""
    method, other = quoted(row["method"]), quoted(row["other"])
    words = {
        "better": f"{method} is better than {other}",
        "worse": f"{method} is worse than {other}",
        "equivalent": f"{method} and {other} are equivalent within"
        f" ±{with_unit(f'{asked.margin:g}', score)}",
        "inconclusive": f"no clear difference between {method} and {other}: inconclusive",
    }[row["verdict"]]
    where = f" in {quoted(row['hole'])}" if asked.holes == "each" else ""
    note = ""
    if row["verdict"] == "inconclusive" and pd.notna(row["detectable"]):
        least = with_unit(shown(row["detectable"], score.decimals), score)
        images = counted(row["images"], "image")
        note = f"; a true difference of {least} is found with {images} in 4 of 5 tests"
    mean, _, interval = difference_of(row, score).text.partition(" ")
    return f"{words}{where} ({f'{with_unit(mean, score)} {interval}'.rstrip()}{note})"


def _many(rows: Sequence[dict[Any, Any]], planned: int, verdict: str, score: Score) -> str:
    """`In 6 of 8 planned comparisons the first method is better (mean differences ...)`."""
    low, high = (
        shown(bound, score.decimals, has_sign=True)
        for bound in (extreme(row["difference"] for row in rows) for extreme in (min, max))
    )
    others = {row["other"] for row in rows}
    method, other = "the first method", "the second"
    if len(others) == 1:
        method, other = "the method", quoted(others.pop())
    outcome = {
        "better": f"{method} is better than {other}",
        "worse": f"{method} is worse than {other}",
        "equivalent": f"{method} and {other} are equivalent",
        "inconclusive": f"{method} against {other} is inconclusive",
    }[verdict]
    differences = f"mean differences {low} to {with_unit(high, score)}"
    return f"In {len(rows)} of {planned} planned comparisons {outcome} ({differences})."


def _highest(numbers: pd.DataFrame, score: Score) -> str:
    """The first three of the leaderboard, where no comparison was planned."""
    complete = numbers[numbers["complete"] & numbers[score.name].notna()].head(3)
    means = [
        f"{quoted(row['method'])} {with_unit(shown(row[score.name], score.decimals), score)}"
        for row in complete.to_dict("records")
    ]
    sentence = "No comparison was planned, so nothing here is a verdict."
    return f"{sentence} Best means: {listed(means)}." if means else sentence


def _cost(results: Results, numbers: pd.DataFrame) -> str:
    """Median seconds of a fit, and of the best fill that is ranked."""
    known = numbers[numbers["seconds"].notna()]
    fits = known[known["method"].isin(results.networks)]
    fills = known[known["complete"] & ~known["method"].isin(results.networks)]
    if fits.empty and len(fills):
        parts = [
            f"{quoted(row['method'])} {_seconds(row)}" for row in fills[:NAMED].to_dict("records")
        ]
        return f"Median time of one job: {listed(parts)}" + _on(results)
    if fits.empty:
        return ""
    if len(fits) <= NAMED:
        parts = [f"{quoted(row['method'])} {_seconds(row)}" for row in fits.to_dict("records")]
        cost = f"Median time of one job: {listed(parts)}"
    else:
        low, high = fits["seconds"].min(), fits["seconds"].max()
        cost = f"Median time of one job: networks {low:.1f} to {high:.1f} s"
    if len(fills):
        best = fills.to_dict("records")[0]
        cost += f"; {quoted(best['method'])}, the best fill, {_seconds(best)}"
    return cost + _on(results)


def _on(results: Results) -> str:
    """The end of a sentence that names the device, where there is one for all that ran."""
    ran = ~results.rows["method"].isin(results.pictures)
    devices = results.rows[ran]["device"].unique()
    return f", on {devices[0]}." if len(devices) == 1 else "."


def _seconds(row: dict[Any, Any]) -> str:
    cell = seconds(row["seconds"])
    return f"{cell if isinstance(cell, str) else cell.text} s"


def _gaps(results: Results, numbers: pd.DataFrame) -> str:
    """Methods that are not ranked, and why."""
    if not (numbers["complete"] | (numbers["n"] < numbers["N"])).all():
        return "No method is ranked, because each hole is filled exactly by some method."
    lacking = numbers[~numbers["complete"]]
    if len(lacking) > NAMED:
        return f"Not ranked: {len(lacking)} methods that lack scores."
    planned = results.jobs.groupby("method")["image"].nunique()
    images = counted(results.jobs["image"].nunique(), "image")
    sentences = []
    for row in lacking.to_dict("records"):
        own = planned[row["method"]]
        why = f"lacks {row['N'] - row['n']} of {counted(row['N'], 'score')}"
        if own < results.jobs["image"].nunique():
            why = f"ran on {own} of {images} only"
        sentences.append(f"{quoted(row['method'])} {why} and is not ranked.")
    return " ".join(sentences)
