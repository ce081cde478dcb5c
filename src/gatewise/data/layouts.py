"""The layout of encoded tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gatewise.layout import (
    EmbeddingField,
    JoinedLists,
    Layout,
    ListColumn,
    NumberColumn,
    NumberEmbedding,
    NumberList,
    Pooling,
    TextColumn,
)


class LayoutBuilder:
    """Collects the columns of each feature, in the order of the features."""

    def __init__(self) -> None:
        self._fields: list[EmbeddingField] = []
        self._ids: list[tuple[str, str]] = []
        self._lists: list[tuple[str, str, tuple[Pooling | None, int | None, str | None]]] = []
        self._joined: list[JoinedLists] = []
        self._number_lists: list[NumberList] = []
        self._floats: list[tuple[str, str]] = []
        self._texts: list[TextColumn] = []
        self._numbers: list[NumberColumn] = []

    def table(self, feature: str, rows: int, dim: int, *, frozen: bool = False) -> None:
        """Add an embedding table under the name of the feature that owns it; a frozen table is not trained."""
        self._fields.append(EmbeddingField(feature, rows, dim, frozen=frozen))

    def ids(self, feature: str, table: str) -> None:
        """Add a column of the id matrix, whose rows are looked up in a table."""
        self._ids.append((feature, table))

    def list(self, feature: str, table: str, pooling: Pooling | None, weights: str | None = None) -> None:
        """Add a list column, whose items are looked up in a table and pooled; None: not pooled.

        Args:
            feature: the feature's name.
            table: name of the embedding table.
            pooling: pooling of the items.
            weights: name of a further list, of the numbers that weigh the items.
        """
        place = None if weights is None else self.number_list(feature, weights)
        self._lists.append((feature, table, (pooling, place, None)))

    def joined(self, feature: str, ids: Mapping[str, str], numbers: Iterable[str], pooling: Pooling) -> None:
        """Add lists of equal lengths whose items are joined to one vector per place, which are pooled.

        Args:
            feature: the feature's name.
            ids: the embedding table of every list of ids, by the list's name.
            numbers: names of the lists of numbers.
            pooling: pooling of the joined vectors.
        """
        first = len(self._lists)
        self._lists += [(name, table, (None, None, feature)) for name, table in ids.items()]
        places = tuple(self.number_list(feature, name) for name in numbers)
        self._joined.append(JoinedLists(feature, tuple(range(first, len(self._lists))), places, pooling))

    def number_list(self, feature: str, name: str) -> int:
        """Add a list of numbers beside a feature's ids; returns its place among the lists of numbers."""
        self._number_lists.append(NumberList(name, feature))
        return len(self._number_lists) - 1

    def floats(self, feature: str, names: Sequence[str], embedding: NumberEmbedding | None = None) -> None:
        """Add columns of the float matrix; with an embedding, the first column becomes a vector."""
        if embedding is not None:
            self._numbers.append(NumberColumn(feature, len(self._floats), embedding))
        self._floats += [(name, feature) for name in names]

    def text(self, column: TextColumn) -> None:
        """Add a text column."""
        self._texts.append(column)

    def build(self) -> Layout:
        """Return the layout."""
        index = {field.name: place for place, field in enumerate(self._fields)}
        return Layout(
            fields=tuple(self._fields),
            ids=tuple((name, index[table]) for name, table in self._ids),
            lists=tuple(ListColumn(name, index[table], *how) for name, table, how in self._lists),
            floats=tuple(name for name, _ in self._floats),
            float_features=tuple(feature for _, feature in self._floats),
            texts=tuple(self._texts),
            numbers=tuple(self._numbers),
            number_lists=tuple(self._number_lists),
            joined=tuple(self._joined),
        )
