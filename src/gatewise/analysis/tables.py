"""Results as tables of text, see :mod:`gatewise.grids`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.grids import Grid, bar, number

if TYPE_CHECKING:
    from gatewise.analysis.ablation import Ablation
    from gatewise.analysis.explanation import ExpertPart, Explanation, FeaturePart, ScoreParts
    from gatewise.analysis.gate_usage import GateUsage
    from gatewise.analysis.gradient_routing import Routing
    from gatewise.analysis.importance import Importance
    from gatewise.analysis.problems import Problem
    from gatewise.analysis.similarity import Similarity
    from gatewise.tasks import Metrics

ACROSS = 4
"""Most columns of metrics in one table."""
SKIPPED = "_skipped"
ENTROPY = "entropy: 0 if one expert counts per row, 1 if all count alike; largest: mean of a row's largest weight"
LONGEST = 28
"""Most letters of a value."""


def metrics_grids(metrics: Metrics) -> list[Grid]:
    """Return tables of one line per metric and one column per prediction; other metrics are another table."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for output, values in metrics.items():
        alike.setdefault(tuple(values), []).append(output)
    return [
        Grid(["metric", *outputs], [*_metric_rows(names, outputs, metrics)])
        for names, all_outputs in alike.items()
        if names
        for outputs in _cut(all_outputs)
    ]


def _cut(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + ACROSS] for start in range(0, len(names), ACROSS))


def _metric_rows(names: Sequence[str], outputs: list[str], metrics: Metrics) -> Iterator[list[str]]:
    for name in names:
        values = [metrics[output][name] for output in outputs]
        if not name.endswith(SKIPPED):
            yield [name, *map(number, values)]
        elif any(values):
            # the number of groups without the metric: shown if it is not 0
            cells = ("" if value is None else f"{value:,.0f}" for value in values)
            yield [f"{name.removesuffix(SKIPPED)}: groups skipped", *cells]


def usage_grids(usage: Sequence[GateUsage]) -> list[Grid]:
    """Return one table per layer and slice: one line per gate, one column per expert."""
    grids = [_usage_grid(each) for each in usage]
    return [*grids[:-1], replace(grids[-1], note=ENTROPY)] if grids else []


def _usage_grid(usage: GateUsage) -> Grid:
    where = "" if usage.column is None else f", {usage.column} {usage.value}"
    rows = [
        [
            gate,
            *(f"{weight:.3f}" if reached else "–" for weight, reached in zip(weights, reach, strict=True)),
            f"{entropy:.3f}",
            f"{largest:.3f}",
        ]
        for gate, weights, reach, entropy, largest in zip(
            usage.gates, usage.weights, usage.reached, usage.relative_entropy, usage.largest, strict=True
        )
    ]
    title = f"{usage.layer}{where}: mean weights over {usage.rows:,} rows"
    return Grid(["gate", *usage.experts, "entropy", "largest"], rows, title)


def similarity_grids(similarity: Sequence[Similarity]) -> list[Grid]:
    """Return one table per layer: the similarity of every two experts."""
    return [
        _by_expert(
            ("", each.experts),
            each.experts,
            each.cka,
            f"{each.layer}: similarity (CKA) on {each.rows:,} rows",
            "1: outputs that differ by rotation and scale only; –: an output that is equal in all rows",
        )
        for each in similarity
    ]


def _by_expert(
    of: tuple[str, Sequence[str]], experts: Sequence[str], values: np.ndarray, title: str, note: str
) -> Grid:
    """Return a table of values ``[row, expert]``, with the heading of its rows and their names; NaN is a dash."""
    heading, names = of
    rows = [
        [name, *("–" if np.isnan(value) else f"{value:.3f}" for value in row)]
        for name, row in zip(names, values, strict=True)
    ]
    return Grid([heading, *experts], rows, title, note)


def routing_grids(routing: Sequence[Routing]) -> list[Grid]:
    """Return one table per layer: the share of every task's gradient that each expert gets."""
    return [
        _by_expert(
            ("task", each.tasks),
            each.experts,
            each.gradients,
            f"{each.layer}: shares of each task's gradient, on {each.rows:,} rows",
            "–: the task's loss has no gradient" if np.isnan(each.gradients).any() else "",
        )
        for each in routing
    ]


def ablation_grids(ablations: Sequence[Ablation]) -> list[Grid]:
    """Return tables per layer: the change of every output's metric without each expert."""
    return [grid for each in ablations for grid in _ablation_grids(each)]


def _ablation_grids(each: Ablation) -> Iterator[Grid]:
    names = [f"{output} {metric}" for output, metric in zip(each.outputs, each.metrics, strict=True)]
    for start in range(0, len(names), ACROSS):
        chosen = slice(start, start + ACROSS)
        rows = [["(all experts)", *map(_defined, each.whole[chosen])]]
        rows += [
            [expert, *(_defined(value, "+.4f") for value in change[chosen])]
            for expert, change in zip(each.experts, each.change, strict=True)
        ]
        title = f"{each.layer}: metrics with all experts, and their change without each, on {each.rows:,} rows"
        yield Grid(["without", *names[chosen]], rows, title)


def _defined(value: float, form: str = ".4f") -> str:
    return number(None if np.isnan(value) else float(value), form)


def importance_grids(found: Mapping[str, Sequence[Importance]]) -> list[Grid]:
    """Return one table per output: what the metric loses when a feature is shuffled."""
    return [_importance_grid(output, each) for output, each in found.items() if each]


def _importance_grid(output: str, found: Sequence[Importance]) -> Grid:
    scale = max((abs(each.drop) for each in found if each.drop is not None), default=0.0) or 1.0
    rows = [
        [each.feature, *(number(value, "+.4f") for value in (each.drop, each.low, each.high)), _bar(each.drop, scale)]
        for each in found
    ]
    title = f"{output}: {found[0].metric} {number(found[0].value)}, and by how much it is worse with a feature shuffled"
    return Grid(["feature", "worse by", "least", "most", ""], rows, title)


def _bar(value: float | None, scale: float) -> str:
    return "" if value is None else bar(value / scale)


def problems_grids(problems: Sequence[Problem]) -> list[Grid]:
    """Return a table of one line per problem."""
    if not problems:
        return [Grid([""], [["no problem found"]])]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return [Grid([""], [[f"{place}. {problem}"] for place, problem in enumerate(problems, 1)], count)]


def explanation_grids(found: Explanation, top: int | None = None) -> list[Grid]:
    """Return tables of the predictions and, per score, the parts of the experts and of the ``top`` features."""
    grids = [_predictions(found)]
    for parts in found.scores:
        title = f"{parts.score}: score {parts.value:+.4f}"
        if parts.experts:
            grids.append(_experts(parts, title))
        if parts.features:
            grids.append(_features(parts, "" if parts.experts else title, top))
        if not parts.experts and not parts.features:
            grids.append(Grid([], [], title))
    return grids + [Grid([], [], note=note) for note in found.notes]


def _predictions(found: Explanation) -> Grid:
    calibrated = found.calibrated
    rows = [
        [name, f"{value:.4f}", *([] if calibrated is None else [f"{calibrated[name]:.4f}"])]
        for name, value in found.predictions.items()
    ]
    if found.fused is not None:
        rows.append(["fused", f"{found.fused:.4f}", *([] if calibrated is None else [""])])
    return Grid(["prediction", "value", *([] if calibrated is None else ["calibrated"])], rows)


def _experts(parts: ScoreParts, title: str) -> Grid:
    scale = _scale(parts.experts)
    rows = [[part.expert, f"{part.weight:.3f}", *_adds(part, scale)] for part in parts.experts]
    rows.append(["(without experts)", "", number(parts.without_experts, "+.4f"), "", ""])
    return Grid(["expert", "gate", "adds", "", ""], rows, title)


def _features(parts: ScoreParts, title: str, top: int | None) -> Grid:
    scale, first = _scale(parts.features), parts.features[:top]
    rows = [[part.feature, _value(part.value), *_adds(part, scale)] for part in first]
    rest = parts.features[len(first) :]
    if rest:
        others = f"({len(rest)} other{'s' if len(rest) > 1 else ''})"
        rows.append([others, "", f"{sum(part.contribution for part in rest):+.4f}", "", ""])
    rows.append(["(mean of other rows)", "", number(parts.background, "+.4f"), "", ""])
    return Grid(["feature", "value", "adds", "", ""], rows, title)


def _adds(part: ExpertPart | FeaturePart, scale: float) -> tuple[str, str, str]:
    error = f"± {part.error:.4f}" if part.error else ""
    return f"{part.contribution:+.4f}", error, bar(part.contribution / scale)


def _scale(parts: Sequence[ExpertPart | FeaturePart]) -> float:
    return max(abs(part.contribution) for part in parts) or 1.0


def _value(value: Any) -> str:
    text = "null" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
