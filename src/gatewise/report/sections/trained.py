"""Section: model, training and data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gatewise import declare
from gatewise.report.blocks import Facts, Section, Table, Titled, Value
from gatewise.report.findings import Findings

FOLDED = 30
"""Most features above the fold."""


def trained(found: Findings) -> Section:
    """Return schema, architecture, balancing, options and cost."""
    options, features = declare.to_dict(found.options), _features(found)
    return Section(
        "trained",
        "What was trained",
        "Features and tasks as they were declared, with what was learnt of the training table.",
        [
            Facts(_facts(found, options)),
            Titled("Tasks", _tasks(found)),
            Titled("Features", features, f"{len(features.rows)} features" if len(features.rows) > FOLDED else ""),
            Titled("Options", Table(["option", "value"], list(_flat(options))), folded="all options"),
        ],
    )


def _facts(found: Findings, options: Mapping[str, Any]) -> list[tuple[str, Value]]:
    history, (dense, all_of_them) = found.history, found.parameters
    best = max((record.epoch for record in history if record.best), default=len(history))
    facts: list[tuple[str, Value]] = [
        ("architecture", type(found.options.model).__name__),
        ("balancing", type(found.options.balance).__name__),
        *((f"{part} rows", count) for part, count in found.rows.items()),
        ("epochs", f"{len(history)}, weights of epoch {best}"),
        ("seconds of training", f"{sum(record.seconds for record in history):.1f}"),
        ("parameters outside the embeddings", dense),
        ("parameters", all_of_them),
        ("seed", found.options.training.seed),
        ("calibrated", ", ".join(f"{output} ({how})" for output, how in found.calibrated.items()) or "no"),
    ]
    if options.get("fusion"):
        facts.append(("fusion", str(options["fusion"])))
    return facts


def _tasks(found: Findings) -> Table:
    rows = []
    for task in found.schema.tasks:
        learnt = ", ".join(f"{name} {_short(value)}" for name, value in found.statistics.get(task.name, {}).items())
        rows.append([task.name, task.kind, declare.column_of(task), learnt])
    return Table(["task", "kind", "column", "in the training rows"], rows)


def _features(found: Findings) -> Table:
    rows: list[list[Value]] = []
    for feature in found.schema.features:
        declared = declare.to_dict(feature)
        owner = declared.get("shares") or feature.name
        vocabulary = found.vocabularies.get(owner)
        how = declared.get("transform") or declared.get("pooling") or ""
        shared = declare.embedding_dim(feature, found.schema) if owner != feature.name else declared.get("dim")
        width = shared if owner in found.vocabularies else None
        how = how if isinstance(how, str) else how.get("kind", "")
        rows.append([feature.name, feature.kind, declare.column_of(feature), how, width, vocabulary])
    return Table(["feature", "kind", "column", "how it is read", "width", "values known"], rows)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield all options, each with its path."""
    if not isinstance(value, Mapping):
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return
    for name, part in value.items():
        yield from _flat(part, f"{path}.{name}" if path else name)
