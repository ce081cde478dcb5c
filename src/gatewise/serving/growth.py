"""Growth: new values in the vocabularies of a trained scorer, and rows that are given back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gatewise import declare
from gatewise.assembly import build_model
from gatewise.data import Turnover, Vocabulary, changed_rows
from gatewise.layout import OUT_OF_VOCABULARY
from gatewise.serving.scorer import Scorer


@dataclass(frozen=True)
class Grown:
    """A scorer whose vocabularies were turned over.

    Attributes:
        scorer: the new one; the old one stays as it is.
        turnover: what came of the values, by vocabulary.
        reset: the rows within an embedding table that another value has now, or none, by the table's name.
    """

    scorer: Scorer
    turnover: dict[str, Turnover]
    reset: dict[str, Tensor]


def grow(scorer: Scorer, architecture: declare.Architecture, source: Any, *, a_day: bool = False) -> Grown:
    """Return a scorer that also knows a table's values; its predictions for unchanged values equal the old scorer's.

    Each new row of an embedding table, and each row that was given back, is a copy of its out-of-vocabulary row.

    Args:
        scorer: the scorer.
        architecture: of its model.
        source: any table.
        a_day: whether the table is a day, see :meth:`gatewise.data.TableEncoder.turned_over`.

    Raises:
        TableError: a feature's column is missing or of another type.
    """
    encoder, turnover = scorer.encoder.turned_over(source, a_day=a_day)
    before, after = scorer.encoder.vocabularies, encoder.vocabularies
    reset = {name: torch.from_numpy(rows) for name in after if len(rows := _changed(before[name], after[name]))}
    if encoder.layout.fields == scorer.encoder.layout.fields and not reset:
        return Grown(replace(scorer, encoder=encoder), turnover, reset)
    model = build_model(architecture, encoder.layout, scorer.tasks, tables=scorer.model.input_layer.tables.kind).to(
        scorer.device
    )
    old, new = scorer.model.input_layer.tables, model.input_layer.tables
    tables = {f"input_layer.tables.{name}": weight for name, weight in new.state_dict().items()}
    model.load_state_dict(scorer.model.state_dict() | tables)
    new.copy_rows(old)
    with torch.no_grad():
        for place, field in enumerate(new.fields):
            if field.name in reset:
                rows = new.rows_of(place)
                rows[reset[field.name].to(rows.device)] = rows[OUT_OF_VOCABULARY].clone()
    return Grown(Scorer(encoder, model.eval(), scorer.tasks, scorer.calibration, scorer.fusion), turnover, reset)


def _changed(before: Any, after: Any) -> Any:
    return changed_rows(before, after) if isinstance(before, Vocabulary) and isinstance(after, Vocabulary) else ()
