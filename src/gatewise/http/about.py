"""What the page has to know of a model to make a form of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatewise.data.encoders import NumericEncoder
from gatewise.data.vocabulary import Vocabulary
from gatewise.declare import Categorical, Feature, Numeric, Sequence, Text, Vector
from gatewise.http.model import ServedModel

EXAMPLES = 8
"""Values that are suggested for a column, the most frequent first."""


def about(model: ServedModel) -> dict[str, Any]:
    """Return a model's columns, scores, fusion and items, as JSON values."""
    fusion = model.fusion
    return {
        "name": model.name,
        "version": model.version,
        "loaded": model.loaded,
        "columns": [{"name": name, **_column(model, name)} for name in model.columns.names],
        "scores": model.scores,
        "order": model.order_of(),
        "fusion": None if fusion is None else {"text": str(fusion), "weights": fusion.weights},
        "calibrated": model.calibrated,
        "tasks": model.tasks,
        "gates": model.gated,
        "items": _items(model),
    }


def _items(model: ServedModel) -> dict[str, Any] | None:
    items = model.items
    if items is None:
        return None
    return {"key": items.key, "columns": items.columns, "count": len(items), "some": items.some(EXAMPLES)}


def _column(model: ServedModel, name: str) -> dict[str, Any]:
    features = model.columns.features_of(name)
    return {"kind": "number", "example": 1} if not features else _of_feature(model, features[0])


def _of_feature(model: ServedModel, feature: Feature) -> dict[str, Any]:
    match feature:
        case Numeric():
            encoder = model.columns.encoder.encoders[feature.name]
            assert isinstance(encoder, NumericEncoder)
            return {"kind": "number", "example": _near(encoder)}
        case Vector(size=size):
            return {"kind": "list", "example": [0.0] * size}
        case Text():
            return {"kind": "string", "example": ""}
        case Categorical() | Sequence():
            vocabulary = model.columns.vocabulary_of(feature)
            some = vocabulary.values[:EXAMPLES].to_pylist() if isinstance(vocabulary, Vocabulary) else []
            if isinstance(feature, Sequence):
                return {"kind": "list", "example": some[:2], "some": some}
            return {"kind": "id", "example": some[0] if some else None, "some": some}
    raise AssertionError(feature)


def _near(encoder: NumericEncoder) -> float:
    """Return a number such as the training table had."""
    if len(encoder.knots):
        return _short(encoder.knots[len(encoder.knots) // 2])
    logarithm = encoder.feature.transform == "log"
    return _short(np.sign(encoder.mean) * np.expm1(abs(encoder.mean)) if logarithm else encoder.mean)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
