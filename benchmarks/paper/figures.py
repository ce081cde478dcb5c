"""The paper's Figures 4 and 5: final losses of the three kinds of models beside the published ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grid import COSINES, Grid
from models import KINDS
from points import Point, point
from published import MEANS, SHARES, distance
from reading import MMOE, NAMES, OMOE, SHARED, place
from summary import FAILED, Results, Summary

TEXT = """{place}, {steps:,} steps, at least {runs} runs of every model. Shares of failed runs are {share:.0f}
percentage points from the published ones in the mean, mean losses a factor of {factor:.2f}. A cell holds the mean of
the final losses ± its standard error and the share above {failed}; below it what the paper shows of 200 runs.

{table}

![How many runs of each model end at which loss](../images/paper_losses.svg)

What of the paper is seen here:

{claims}"""


def figures(chosen: Grid, results: Results) -> str:
    """Return the table beside the published figures, and which of the paper's findings it repeats."""
    found = {at.cosine: known for at in chosen.figures if (known := point(at, results))}
    if set(found) != set(COSINES):
        return "Not run."
    at, far = chosen.figures[0], distance(list(found.values()))
    return TEXT.format(
        place=place(at).capitalize(),
        steps=at.steps,
        runs=min(len(summary.losses) for known in found.values() for summary in known.found),
        share=far.share,
        factor=far.factor,
        failed=FAILED,
        table=_table(found),
        claims="\n".join(_claims(found)),
    )


def _table(found: Mapping[float, Point]) -> str:
    lines = ["| | " + " | ".join(f"cosine {cosine:g}" for cosine in COSINES) + " |", "|---" * (1 + len(COSINES)) + "|"]
    for position, kind in enumerate(KINDS):
        here = [found[cosine].found[position] for cosine in COSINES]
        cells = [f"{summary.mean:.3f} ± {summary.error:.3f}, {summary.share:.1f} %" for summary in here]
        paper = [f"{MEANS[kind][cosine]:.3f}, {SHARES[kind][cosine]:.1f} %" for cosine in COSINES]
        lines += [f"| {NAMES[kind]} | " + " | ".join(cells) + " |", "| published | " + " | ".join(paper) + " |"]
    return "\n".join(lines)


def _claims(found: Mapping[float, Point]) -> list[str]:
    return [
        f"- MMoE's mean is below shared bottom's: {_where(found, lambda here: here[MMOE].below(here[SHARED]))}.",
        f"- MMoE's mean is below OMoE's: {_where(found, lambda here: here[MMOE].below(here[OMOE]))}.",
        f"- OMoE's mean is below shared bottom's: {_where(found, lambda here: here[OMOE].below(here[SHARED]))}.",
        f"- MMoE fails less often than OMoE: {_where(found, lambda here: here[MMOE].failed < here[OMOE].failed)}.",
        f"- Shared bottom fails at least three times as often as both others: "
        f"{_where(found, lambda here: here[SHARED].failed >= 3 * max(here[MMOE].failed, here[OMOE].failed))}.",
        *(_falls(found, position) for position in range(len(KINDS))),
    ]


def _where(found: Mapping[float, Point], holds: Callable[[tuple[Summary, ...]], bool]) -> str:
    """Say at which cosines something holds."""
    where = [f"{cosine:g}" for cosine in COSINES if holds(found[cosine].found)]
    return f"yes at cosine {', '.join(where)}" if where else "at no cosine"


def _falls(found: Mapping[float, Point], position: int) -> str:
    """Say what closer tasks bring a kind of model."""
    kind, (first, *_, last) = KINDS[position], (found[cosine].found[position] for cosine in COSINES)
    published = MEANS[kind][COSINES[0]] / MEANS[kind][COSINES[-1]]
    return (
        f"- {NAMES[kind]} and closer tasks: its mean at cosine {COSINES[0]:g} is {first.mean / last.mean:.2f} times "
        f"that at {COSINES[-1]:g} (published: {published:.2f})."
    )
