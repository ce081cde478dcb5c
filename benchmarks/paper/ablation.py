"""What helps where runs of MMoE fail, remedy by remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grid import RATES, Grid
from reading import place
from setting import Setting
from summary import FAILED, Results, Summary, summed_up

NAMES = {
    "expert_norm": "`expert_norm`",
    "cosine": "`schedule: cosine`",
    "zero_init": "gate `zero_init`",
    "gate_dropout": "gate `dropout` 0.1",
}
AIM = 1.0
TEXT = """MMoE at cosine 0.5 with options of this library: `expert_norm` is LayerNorm after every expert, and
`schedule: cosine` has its warm-up. Shares with Wilson's interval of 95 %. The last rows were run with few seeds, to see
whether they promise more.

{tables}"""


def ablation(chosen: Grid, results: Results) -> str:
    """Return a table for every region, each with what it shows in words."""
    parts = [_region(region, results) for region in chosen.regions]
    return TEXT.format(tables="\n\n".join(part for part in parts if part)) if any(parts) else "Not run."


def _region(region: Sequence[Setting], results: Results) -> str:
    found = {at: summary for at in region if (summary := summed_up(at, results))}
    plain = region[0]
    if plain not in found:
        return ""
    lines = [
        f"**{place(plain).capitalize()}, {plain.steps:,} steps**\n",
        f"| remedies | runs | mean | worst | above {FAILED} |",
        "|---" * 5 + "|",
        *(_row(at.remedies, summary) for at, summary in found.items()),
    ]
    return "\n".join(lines) + f"\n\n{_in_words(found, plain)} {_lower_rate(plain, results)}".rstrip()


def _row(remedies: Sequence[str], found: Summary) -> str:
    low, high = found.interval
    failed = f"{found.failed}: {found.share:.1f} % ({low:.1f} to {high:.1f})"
    mean, worst = f"{found.mean:.3f} ± {found.error:.3f}", f"{max(found.losses):.3f}"
    return f"| {_named(remedies)} | {len(found.losses)} | {mean} | {worst} | {failed} |"


def _named(remedies: Sequence[str]) -> str:
    return " + ".join(NAMES[remedy] for remedy in remedies) or "none"


def _in_words(found: dict[Setting, Summary], plain: Setting) -> str:
    """Say which remedy did it, of those that were run with all seeds."""
    sure = [at for at in found if at.remedies and at.seeds == plain.seeds]
    if not sure:
        return ""
    best = min(sure, key=lambda at: found[at].mean)
    texts = {at: f"{_named(at.remedies)} {_gain(found[at], found[plain])}" for at in sure}
    aim = f"{'at or below' if found[best].share <= AIM else 'above'} the {AIM:g} % that was aimed at"
    sureness = f"{len(found[best].losses)} runs leave up to {found[best].interval[1]:.1f} % open"
    others = "; ".join(texts[at] for at in sure if at != best)
    return f"The lowest mean: {texts[best]}, {aim} ({sureness}). {others}".strip() + "."


def _gain(found: Summary, plain: Summary) -> str:
    failures = f"failures from {plain.share:.1f} % to {found.share:.1f} %"
    return f"takes the mean from {plain.mean:.3f} to {found.mean:.3f} and {failures}"


def _lower_rate(plain: Setting, results: Results) -> str:
    """Say what a lower rate does without any remedy, from the map."""
    rates = [lr for lr in RATES if lr < plain.lr]
    of_map = [at for at in results if replace(at, lr=plain.lr, seeds=plain.seeds) == plain and at.lr in rates]
    lower = [(at.lr, Summary(tuple(results[at]))) for at in of_map]
    if not lower:
        return ""
    lr, found = min(lower, key=lambda pair: pair[1].mean)
    return (
        f"The right rate is a remedy too: at {lr:g} plain MMoE has a mean of {found.mean:.3f}, and {found.failed} of "
        f"{len(found.losses)} runs fail."
    )
