"""The description of a model from which the page builds its form."""

from __future__ import annotations

from typing import Any

from gatewise.http.model import ServedModel

EXAMPLES = 8
"""How many items of the item table the page suggests."""


def about(model: ServedModel) -> dict[str, Any]:
    """Return a model's columns, scores, fusion and items, as JSON values."""
    fusion = model.fusion
    return {
        "name": model.name,
        "version": model.version,
        "loaded": model.loaded,
        "columns": [{"name": name, **_column(model, name)} for name in model.columns.names],
        "context": _context(model),
        "samples": None if model.samples is None else model.samples.requests,
        "scores": model.scores,
        "order": model.order_of(),
        "fusion": None if fusion is None else {"text": str(fusion), "weights": fusion.weights},
        "calibrated": model.calibrated,
        "tasks": model.tasks,
        "gates": model.gated,
        "items": _items(model),
    }


def _context(model: ServedModel) -> list[str] | None:
    """Return the columns that candidates share: the declared ones, else those that real rows share; None: not known."""
    if model.context:
        return [*model.context]
    return None if model.samples is None or model.samples.context is None else [*model.samples.context]


def _items(model: ServedModel) -> dict[str, Any] | None:
    items = model.items
    if items is None:
        return None
    return {"key": items.key, "columns": items.columns, "count": len(items), "some": items.some(EXAMPLES)}


def _column(model: ServedModel, name: str) -> dict[str, Any]:
    descriptions, needed = model.columns.descriptions_of(name), name in model.columns.required
    if not descriptions:
        return {"kind": "number", "example": 1, "needed": needed}
    found = descriptions[0]
    some = {} if found.some is None else {"some": found.some}
    return {"kind": found.holds, "example": found.example, "needed": needed, **some}
