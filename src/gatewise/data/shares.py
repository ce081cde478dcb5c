"""How the training rows of a feature were distributed, in a few bins, to tell later whether a table is unlike them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NotRequired

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from gatewise.data.encoded import EncodedTable
from gatewise.data.saved import STRICT, Int64, Rising, Share
from gatewise.data.vocabularies import AnyVocabulary, Vocabulary
from gatewise.layout import NULL, OUT_OF_VOCABULARY, RESERVED_ROWS, Layout

FREQUENT = 20
"""Values of a vocabulary that have a bin of their own."""
BINS = 10
"""Bins of a number, with about as many training rows each."""
SPARSE = 1_000_000
"""Rows of a table up to which all of them are counted; of a larger one that has more rows than the column has entries,
those that occur."""
FLOOR = 1e-4
"""Share that an empty bin counts as."""


class SharesState(TypedDict):
    """The saved state of :class:`Shares`."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    shares: list[Share]
    values: NotRequired[list[Int64] | list[str]]
    edges: NotRequired[Rising]


@dataclass(frozen=True)
class Shares:
    """The share of rows in every bin; of lists, that of all rows' items.

    Attributes:
        shares: one per bin, with a sum of 1; all 0 where there is no row, or no item.
        values: of ids, the values with bins of their own, or the rows of hashed and numbered ids; before them stand the
            bins of unseen values and of null, behind them that of all others. None: it is a number.
        edges: of numbers, as they are encoded, the inner edges of the bins.
    """

    shares: list[float]
    values: list[Any] | None = None
    edges: list[float] | None = None

    def state(self) -> dict[str, Any]:
        """Return the shares as JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_state(cls, state: Any) -> Shares:
        """Return the shares from a saved :meth:`state`.

        Raises:
            ValueError: it is not such a state.
        """
        found = TypeAdapter(SharesState).validate_python(state)
        values, edges = found.get("values"), found.get("edges")
        bins = len(edges) + 1 if edges is not None else len(values or []) + RESERVED_ROWS + 1
        if (values is None) == (edges is None) or len(found["shares"]) != bins:
            raise ValueError("shares of a feature: expected one per bin")
        return cls(found["shares"], values, edges)

    def stability(self, column: np.ndarray, vocabulary: AnyVocabulary | None) -> float:
        r"""Return the population stability index of other rows beside these.

        .. math::
            \sum_b (q_b - p_b) \ln \frac{q_b}{p_b}

        with the shares p of the training rows and q of the others. It is 0 where all shares are equal; above 0.25 the
        rows are usually said to be another population.

        Args:
            column: ``[row]``, or ``[item]`` of a list, the feature as it is encoded.
            vocabulary: of ids.
        """
        found = _shares(_binned(column, self.values, self.edges, vocabulary), len(self.shares))
        before, now = (np.maximum(each, FLOOR) for each in (np.array(self.shares), found))
        return float(((now - before) * np.log(now / before)).sum())


def shares_of(layout: Layout, vocabularies: Mapping[str, AnyVocabulary], rows: EncodedTable) -> dict[str, Shares]:
    """Return the shares of every feature that is an id, a list of ids or a number; of events, of each list of ids."""
    return {name: _of(column, vocabulary) for name, column, vocabulary in _columns(layout, vocabularies, rows)}


def stabilities(
    shares: Mapping[str, Shares], layout: Layout, vocabularies: Mapping[str, AnyVocabulary], rows: EncodedTable
) -> dict[str, float]:
    """Return the population stability index of every feature whose shares are known; see :meth:`Shares.stability`."""
    return {
        name: shares[name].stability(column, vocabulary)
        for name, column, vocabulary in _columns(layout, vocabularies, rows)
        if name in shares and (shares[name].values is None) == (vocabulary is None)
    }


def _columns(
    layout: Layout, vocabularies: Mapping[str, AnyVocabulary], rows: EncodedTable
) -> Iterator[tuple[str, np.ndarray, AnyVocabulary | None]]:
    for place, (name, field) in enumerate(layout.ids):
        if (vocabulary := vocabularies.get(layout.fields[field].name)) is not None:
            yield name, rows.ids[:, place], vocabulary
    for part, found in zip(layout.lists, rows.lists, strict=True):
        if (vocabulary := vocabularies.get(layout.fields[part.field].name)) is not None:
            yield part.name, found.values, vocabulary
    features = layout.float_features or layout.floats
    for place, (name, feature) in enumerate(zip(layout.floats, features, strict=True)):
        if name == feature:
            yield name, rows.floats[:, place], None


def _of(column: np.ndarray, vocabulary: AnyVocabulary | None) -> Shares:
    if vocabulary is None:
        edges = np.unique(np.quantile(column.astype(np.float64), np.linspace(0, 1, BINS + 1)[1:-1])).tolist()
        return Shares(_shares(_binned(column, None, edges, None), len(edges) + 1).tolist(), edges=edges)
    rows, _, counts = _distinct(column, vocabulary.rows)
    rows, counts = rows[rows >= RESERVED_ROWS], counts[rows >= RESERVED_ROWS]
    frequent = rows[np.argsort(-counts, kind="stable")[:FREQUENT]]
    if isinstance(vocabulary, Vocabulary):
        values = vocabulary.values.take(pa.array(frequent - RESERVED_ROWS)).drop_null().to_pylist()
    else:
        values = frequent.tolist()
    binned = _binned(column, values, None, vocabulary)
    return Shares(_shares(binned, len(values) + RESERVED_ROWS + 1).tolist(), values=values)


def _binned(
    column: np.ndarray, values: list[Any] | None, edges: list[float] | None, vocabulary: AnyVocabulary | None
) -> np.ndarray:
    if vocabulary is None or values is None:
        return np.searchsorted(np.array(edges or []), column, side="left")
    rows, places, _ = _distinct(column, vocabulary.rows)
    known = _rows_of(values, vocabulary)
    bin_of = dict(zip(known.tolist(), range(RESERVED_ROWS, RESERVED_ROWS + len(known)), strict=True))
    bin_of |= {OUT_OF_VOCABULARY: OUT_OF_VOCABULARY, NULL: NULL}
    bins = np.full(len(rows), len(values) + RESERVED_ROWS)
    for place in np.flatnonzero(np.isin(rows, list(bin_of))):
        bins[place] = bin_of[int(rows[place])]
    return bins[places]


def _distinct(column: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a column's distinct rows of a table, rising, the place of every entry among them, and their counts."""
    if size > max(SPARSE, 2 * len(column)):
        # a table of hashed ids may be larger than memory, and holds few of its rows here
        return np.unique(column, return_inverse=True, return_counts=True)
    counts = np.bincount(column, minlength=size)
    rows = np.flatnonzero(counts)
    places = np.zeros(len(counts), np.int64)
    places[rows] = np.arange(len(rows))
    return rows, places[column], counts[rows]


def _rows_of(values: list[Any], vocabulary: AnyVocabulary) -> np.ndarray:
    if not values:
        return np.zeros(0, np.int64)
    if isinstance(vocabulary, Vocabulary):
        return vocabulary.lookup(pa.array(values, vocabulary.type))
    return np.array(values, np.int64)


def _shares(binned: np.ndarray, bins: int) -> np.ndarray:
    return np.bincount(binned, minlength=bins) / max(len(binned), 1)
