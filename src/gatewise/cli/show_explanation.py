"""One prediction taken apart, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from gatewise.analysis import ExpertPart, Explanation, FeaturePart, ScoreParts

HALF = 12
"""Letters in the longest bar to one side."""
LONGEST = 28
"""Most letters of a value."""


def explanation_tables(found: Explanation, title: str, top: int) -> Group:
    """Return tables of the predictions and, per score, the parts of the experts and of the ``top`` features."""
    shown: list[RenderableType] = [Text(title, style="bold"), _predictions(found)]
    for parts in found.scores:
        shown.append(Text.assemble((parts.score, "bold"), f": score {parts.value:+.4f}"))
        if parts.experts:
            shown.append(_experts(parts))
        if parts.features:
            shown.append(_features(parts, top))
    return Group(*shown, *(Text(note) for note in found.notes))


def _predictions(found: Explanation) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("prediction")
    table.add_column("value", justify="right")
    if found.calibrated is not None:
        table.add_column("calibrated", justify="right")
    for name, value in found.predictions.items():
        calibrated = [] if found.calibrated is None else [f"{found.calibrated[name]:.4f}"]
        table.add_row(name, f"{value:.4f}", *calibrated)
    if found.fused is not None:
        table.add_row("fused", f"{found.fused:.4f}")
    return table


def _experts(parts: ScoreParts) -> Table:
    table = _table("expert", "gate")
    scale = _scale(parts.experts)
    for part in parts.experts:
        table.add_row(part.expert, f"{part.weight:.3f}", *_adds(part, scale))
    table.add_row("(without experts)", "", f"{parts.without_experts:+.4f}", "", "", style="dim")
    return table


def _features(parts: ScoreParts, top: int) -> Table:
    table = _table("feature", "value")
    scale = _scale(parts.features)
    for part in parts.features[:top]:
        table.add_row(part.feature, _shown(part.value), *_adds(part, scale))
    rest = parts.features[top:]
    if rest:
        table.add_row(
            f"({len(rest)} other{'s' if len(rest) > 1 else ''})",
            "",
            f"{sum(part.contribution for part in rest):+.4f}",
            "",
            "",
        )
    table.add_row("(mean of other rows)", "", f"{parts.background:+.4f}", "", "", style="dim")
    return table


def _table(who: str, what: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(who)
    for heading in (what, "adds", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    return table


def _adds(part: ExpertPart | FeaturePart, scale: float) -> tuple[str, str, Text]:
    error = f"± {part.error:.4f}" if part.error else ""
    return f"{part.contribution:+.4f}", error, bar(part.contribution / scale)


def _scale(parts: Sequence[ExpertPart | FeaturePart]) -> float:
    return max(abs(part.contribution) for part in parts) or 1.0


def bar(share: float) -> Text:
    """Return a bar to the left of the middle for a share below 0, to the right for one above.

    Example:
        >>> print(bar(-0.5))
              ██████|
    """
    full = "█" * round(HALF * abs(share))
    left, right = (full, "") if share < 0 else ("", full)
    return Text.assemble((f"{left:>{HALF}}", "red"), "|", (right, "green"))


def _shown(value: Any) -> str:
    text = "null" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
