"""Growth: new values in the vocabularies of a trained scorer."""

from __future__ import annotations

from typing import Any

from gatewise import declare
from gatewise.assembly import build_model
from gatewise.serving.scorer import Scorer


def grow(scorer: Scorer, architecture: declare.Architecture, source: Any) -> Scorer:
    """Return a scorer that also knows a table's values; its predictions equal the old scorer's.

    Each new row of an embedding table is a copy of its out-of-vocabulary row.

    Raises:
        TableError: a feature's column is missing or of another type.
    """
    encoder = scorer.encoder.extended(source)
    model = build_model(architecture, encoder.layout, scorer.tasks).to(scorer.device)
    old, new = scorer.model.input_layer.tables, model.input_layer.tables
    tables = {f"input_layer.tables.{name}": weight for name, weight in new.state_dict().items()}
    model.load_state_dict(scorer.model.state_dict() | tables)
    new.copy_rows(old)
    return Scorer(encoder, model.eval(), scorer.tasks, scorer.calibration, scorer.fusion)
