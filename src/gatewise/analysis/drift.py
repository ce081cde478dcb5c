"""What a table's features are beside what the encoder learnt of the training table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from gatewise import declare
from gatewise.data import EncodedTable, TableEncoder, Vocabulary, null_count
from gatewise.layout import OUT_OF_VOCABULARY

SHIFTED, WIDER, NARROWER = 0.25, 1.5, 0.67
"""A mean that is this far from the training's in its standard deviations, and a deviation this many times as great or
small, are called drift."""
ANOTHER = 0.25
"""Population stability index above which rows are said to be another population."""
MANY_UNSEEN = 0.1
"""Share of values that training never saw, from which a feature is said to have drifted."""


class FeatureDrift(NamedTuple):
    """A feature in a table beside the training table.

    Attributes:
        feature: its name.
        nulls: the share of rows without a value.
        new_nulls: whether there are nulls though the training table had none; None: not known.
        unseen: the share of rows with a value that training never saw; None: the feature has no vocabulary.
        shift: the mean less the training's, in the training's standard deviations; None: not a number.
        spread: the standard deviation by the training's; None: not a number.
        nulls_before: the share of training rows without a value; None: not known.
        unseen_before: the share of training rows whose value was too rare to be learnt.
        psi: the population stability index beside the training rows; None: not known.
    """

    feature: str
    nulls: float
    new_nulls: bool | None
    unseen: float | None
    shift: float | None
    spread: float | None
    nulls_before: float | None = None
    unseen_before: float = 0.0
    psi: float | None = None

    @property
    def drifted(self) -> bool:
        """Whether the feature is unlike the training table's by any of these measures."""
        moved = self.shift is not None and abs(self.shift) > SHIFTED
        widened = self.spread is not None and not NARROWER <= self.spread <= WIDER
        other = self.psi is not None and self.psi > ANOTHER
        return bool(moved or widened or other or self.new_nulls or (self.unseen or 0.0) > MANY_UNSEEN)

    def in_words(self) -> str:
        """Return what the feature is beside the training table, in one line."""
        found = [] if self.psi is None else [f"PSI {self.psi:.2f}"]
        if self.unseen is not None and (self.unseen or self.unseen_before):
            found.append(f"{self.unseen:.1%} unseen (training {self.unseen_before:.1%})")
        if self.nulls or self.nulls_before:
            before = "" if self.nulls_before is None else f" (training {self.nulls_before:.1%})"
            found.append(f"{self.nulls:.1%} null{before}")
        if self.shift is not None and self.spread is not None:
            found.append(f"mean {self.shift:+.2f} deviations off, deviation x {self.spread:.2f}")
        return f"{self.feature}: {', '.join(found) or 'as in training'}"


def feature_drift(encoder: TableEncoder, table: pa.Table, encoded: EncodedTable) -> list[FeatureDrift]:
    """Return every feature beside the training table, those that drifted most first.

    Of numbers the encoder knows mean and deviation (of their logarithms or ranks, where it reads these), of ids which
    ones there were.

    Args:
        encoder: fitted on the training table.
        table: rows of a table.
        encoded: the same rows, encoded.
    """
    ids = {name: encoded.ids[:, k] for k, (name, _) in enumerate(encoder.layout.ids)}
    numbers = {name: encoded.floats[:, k] for k, name in enumerate(encoder.layout.floats)}
    psi = encoder.stabilities(encoded)
    for part in encoder.layout.lists:
        if part.joined and part.name in psi:
            # of events, the list that differs most
            psi[part.joined] = max(psi.get(part.joined, 0.0), psi[part.name])
    found = (each._replace(psi=psi.get(each.feature)) for each in _drifts(encoder, table, ids, numbers))
    return sorted(found, key=lambda each: -_size(each))


def unseen_shares(encoder: TableEncoder, encoded: EncodedTable) -> dict[str, float]:
    """Return the share of values that the encoder has no row for, by feature with a learnt vocabulary.

    Of a list it is the share of all rows' items; of a feature without any value it is 0.
    """
    names = [name for name, _ in encoder.layout.ids]
    values = {name: encoded.ids[:, place] for place, name in enumerate(names)}
    values |= {part.name: found.values for part, found in zip(encoder.layout.lists, encoded.lists, strict=True)}
    learnt = {name for name, known in encoder.vocabularies.items() if isinstance(known, Vocabulary)}
    tables = dict(encoder.layout.ids) | {part.name: part.field for part in encoder.layout.lists}
    owners = {name: encoder.layout.fields[table].name for name, table in tables.items()}
    return {
        name: float((found == OUT_OF_VOCABULARY).mean()) if len(found) else 0.0
        for name, found in values.items()
        if owners[name] in learnt
    }


def _drifts(
    encoder: TableEncoder, table: pa.Table, ids: dict[str, np.ndarray], numbers: dict[str, np.ndarray]
) -> Iterator[FeatureDrift]:
    rows = max(table.num_rows, 1)
    for feature in encoder.schema.features:
        column, name = declare.column_of(feature), feature.name
        nulls = null_count(table.column(column)) if column in table.column_names else table.num_rows
        state, owner = encoder.columns[name].state(), declare.to_dict(feature).get("shares") or name
        had = state.get("has_null") if isinstance(state, dict) else None
        learnt = name in ids and owner in encoder.vocabularies
        unseen = float((ids[name] == 0).mean()) if learnt and len(ids[name]) else None
        moments = (
            _moments(feature, state, numbers[name], rows - nulls)
            if feature.kind == "numeric" and name in numbers
            else None
        )
        shift, spread = moments or (None, None)
        new = None if had is None else nulls > 0 and not had
        before = None if encoder.nulls is None else encoder.nulls.get(name, 0.0)
        rare = getattr(encoder.vocabularies[owner], "unlisted", 0.0) if learnt else 0.0
        yield FeatureDrift(name, nulls / rows, new, unseen, shift, spread, before, rare)


def _moments(
    feature: declare.Numeric, state: dict[str, float], values: np.ndarray, known: int
) -> tuple[float | None, float | None]:
    """Return shift and spread of encoded numbers, whose training mean is 0 and deviation 1; nulls are encoded as 0."""
    if known == 0:
        return None, None
    if feature.transform == "none":
        values = (values - state["mean"]) / state["std"]
    values = values.astype(np.float64)
    mean = float(values.sum() / known)
    return mean, float(max(np.square(values).sum() / known - mean * mean, 0.0) ** 0.5)


def _size(drift: FeatureDrift) -> float:
    spread = abs(np.log(max(drift.spread, 1e-3))) if drift.spread is not None else 0.0
    return float(abs(drift.shift or 0.0) + spread + (drift.unseen or 0.0) + bool(drift.new_nulls) + 0.1 * drift.nulls)
