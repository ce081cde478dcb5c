"""The input layer: encoded columns in, one dense vector per row out, and the sequences that are not pooled."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.kernels import Lookup
from gatewise.layout import (
    AttentionPooling,
    EmbeddingField,
    JoinedAttention,
    JoinedLists,
    Layout,
    ListColumn,
    Pooling,
    TextColumn,
)
from gatewise.nn.embedding import EmbeddingTables, check_ids
from gatewise.nn.id_dropout import IdDropout
from gatewise.nn.numbers import EmbeddedNumbers
from gatewise.nn.ragged import Ragged
from gatewise.nn.sequences import Padded, make_pooling
from gatewise.nn.sequences.in_pieces import pooled_in_pieces
from gatewise.nn.table import Inputs, TensorTable
from gatewise.nn.texts import TextBatch, TextEncoder


class Vectors(NamedTuple):
    """The input of a model's trunk.

    Shape:
        - x: ``[batch, dim]``
        - sequences: the layout's lists that are not pooled, in order
    """

    x: Tensor
    sequences: tuple[Padded, ...] = ()


class InputLayer(nn.Module):
    """Embeds ids, pools lists, reads texts, embeds numbers and sets the other floats beside them.

    Its ``x`` holds, in this order: the embeddings of the id columns, grouped by matrix in order of first appearance;
    one vector per pooled list; one per feature of joined lists; one per text; one per embedded number, grouped by kind
    of embedding; the other floats.

    Args:
        layout: names and sizes of all encoded columns.
        texts: the encoder of each text feature.
        id_dropout: weight of the out-of-vocabulary row, see :class:`IdDropout`; 0: no value gives way to it.
        tables: makes the embedding tables.

    Raises:
        ShapeError: the numbers of text encoders and text features differ.

    Shape:
        - input: :class:`Inputs`
        - output: :class:`Vectors`, with ``x`` of ``[batch, output_dim]``
    """

    def __init__(
        self,
        layout: Layout,
        texts: Sequence[TextEncoder] = (),
        id_dropout: float = 0.0,
        tables: Callable[[tuple[EmbeddingField, ...]], EmbeddingTables] = EmbeddingTables,
    ) -> None:
        super().__init__()
        if len(texts) != len(layout.texts):
            raise ShapeError(f"texts: expected {len(layout.texts)} encoders, one per text feature, found {len(texts)}")
        self.layout = layout
        self.texts = nn.ModuleList(texts)
        self.tables = tables(layout.fields)
        self.id_dropout = IdDropout(layout, id_dropout) if id_dropout else None
        self._columns_of: dict[str, list[int]] = {}
        for column, (_, field) in enumerate(layout.ids):
            self._columns_of.setdefault(layout.fields[field].matrix, []).append(column)
        for matrix, columns in self._columns_of.items():
            offsets = [self.tables.offsets[layout.ids[column][1]] for column in columns]
            self.register_buffer(f"columns_{matrix}", torch.tensor(columns), persistent=False)
            self.register_buffer(f"offsets_{matrix}", torch.tensor(offsets), persistent=False)
        self.poolings = nn.ModuleDict(
            {
                str(i): make_pooling(
                    column.pooling, layout.fields[column.field].dim, weighted=column.weights is not None
                )
                for i, column in enumerate(layout.lists)
                if column.pooling is not None
            }
        )
        self.joined = nn.ModuleList(
            make_pooling(part.pooling, self._joined_dim(part), target_dim=self._target_dim(part.pooling))
            for part in layout.joined
        )
        self.embedding_dim = sum(dim for _, dim in self._embedded())
        self.numbers = EmbeddedNumbers(layout.numbers, len(layout.floats))
        of_texts = sum(column.dim for column in layout.texts)
        self.output_dim = self.embedding_dim + of_texts + self.numbers.output_dim

    def check(self, inputs: Inputs | TensorTable) -> None:
        """Refuse ids outside their tables, and matrices of another width; done once per table, not per batch.

        Raises:
            ShapeError: names the feature, or the expected width.
        """
        for what, found, expected in (
            ("id columns", inputs.ids.shape[1], len(self.layout.ids)),
            ("list columns", len(inputs.lists), len(self.layout.lists)),
            ("float columns", inputs.floats.shape[1], len(self.layout.floats)),
            ("text columns", len(inputs.texts), len(self.layout.texts)),
            ("lists of numbers", len(inputs.number_lists), len(self.layout.number_lists)),
        ):
            if found != expected:
                raise ShapeError(f"inputs: expected {expected} {what}, found {found}")
        for column, (name, field) in enumerate(self.layout.ids):
            self.tables.check(field, inputs.ids[:, column], name)
        lists: tuple[Tensor | Ragged, ...] = inputs.lists
        for items, declared in zip(lists, self.layout.lists, strict=True):
            # padding is allowed in a padded matrix only
            values, lowest = (items, -1) if isinstance(items, Tensor) else (items.values, 0)
            self.tables.check(declared.field, values, declared.name, lowest)
            if declared.weights is not None:
                _check_beside(items, inputs.number_lists[declared.weights], declared.name)
        for part in self.layout.joined:
            first = lists[part.lists[0]]
            for beside in (*(lists[i] for i in part.lists), *(inputs.number_lists[i] for i in part.numbers)):
                _check_beside(first, beside, part.name)
        for texts, (read, _) in zip(inputs.texts, self.readers(), strict=True):
            if not isinstance(texts, Tensor):
                tokens = texts.tokens if isinstance(texts, TextBatch) else texts.tokens.values
                check_ids(read.name, tokens, read.vocabulary, -1)

    def readers(self) -> list[tuple[TextColumn, TextEncoder]]:
        """Return every text feature with its encoder."""
        return list(zip(self.layout.texts, self.texts, strict=True))  # type: ignore[arg-type]

    def read_texts(self, table: TensorTable, read: Callable[[int], None] = lambda _: None) -> TensorTable:
        """Return the table with the vectors of all texts whose encoders are frozen; each text is encoded once.

        Args:
            table: a table.
            read: called repeatedly with the number of texts that were read.
        """
        if not self.texts:
            return table
        known = tuple(
            replace(texts, vectors=encoder.read_all(texts.tokens, read))
            if encoder.frozen and texts.vectors is None
            else texts
            for texts, (_, encoder) in zip(table.texts, self.readers(), strict=True)
        )
        return replace(table, texts=known)

    def learn(self, pieces: Iterable[TensorTable], before: Mapping[str, Tensor] | None = None) -> None:
        """Learn from the training rows how often each value gives way to the out-of-vocabulary row, if any does.

        ``before`` has what earlier trainings counted, see :meth:`IdDropout.learn`.
        """
        if self.id_dropout is not None:
            self.id_dropout.learn(pieces, before)

    def columns_of(self, feature: str) -> list[int]:
        """Return the columns of ``x`` that belong to a feature; none for a sequence that is not pooled."""
        return [column for column, owner in enumerate(self.owners()) if owner == feature]

    def blocks(self) -> tuple[list[range], range]:
        """Return the columns of ``x`` of each id feature, and the columns of all texts and numbers."""
        starts = list(itertools.accumulate((dim for _, dim in self._embedded()), initial=0))
        return [range(*pair) for pair in itertools.pairwise(starts)], range(starts[-1], self.output_dim)

    def _embedded(self) -> list[tuple[str, int]]:
        """Return name and width of every id feature, in the order of ``x``."""
        layout = self.layout
        chosen = [layout.ids[i] for columns in self._columns_of.values() for i in columns]
        embedded = [(name, layout.fields[field].dim) for name, field in chosen]
        pooled = [(layout.lists[int(i)].name, int(pooling.output_dim)) for i, pooling in self.poolings.items()]  # type: ignore[arg-type]
        joined = [(part.name, int(pooling.output_dim)) for part, pooling in self._joined_poolings()]  # type: ignore[arg-type]
        return embedded + pooled + joined

    def _joined_poolings(self) -> list[tuple[JoinedLists, nn.Module]]:
        return list(zip(self.layout.joined, self.joined, strict=True))

    def _joined_dim(self, part: JoinedLists) -> int:
        """Return the width of the joined vectors: of all ids' embeddings, and one per number."""
        layout = self.layout
        return sum(layout.fields[layout.lists[i].field].dim for i in part.lists) + len(part.numbers)

    def _target_dim(self, pooling: Pooling) -> int:
        targets = pooling.targets if isinstance(pooling, JoinedAttention) else ()
        dims = {name: self.layout.fields[field].dim for name, field in self.layout.ids}
        return sum(dims[target] for target in targets)

    def _target(self, embedded: Tensor, column: ListColumn) -> Tensor | None:
        """Return the target vectors ``[batch, dim]`` of a list's attention pooling, if any."""
        if not isinstance(column.pooling, AttentionPooling):
            return None
        return self._joined_targets(embedded, (column.pooling.target,))

    def _joined_targets(self, embedded: Tensor, targets: Sequence[str]) -> Tensor:
        found = [self.columns_of(target) for target in targets]
        parts = [embedded[:, columns[0] : columns[-1] + 1] for columns in found]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def _pooled_jointly(self, inputs: Inputs, part: JoinedLists, pooling: nn.Module, embedded: Tensor) -> Tensor:
        """Return the pooled vectors ``[batch, dim]`` of lists that are joined place by place."""
        columns = [self.layout.lists[i] for i in part.lists]
        lists, numbers = [inputs.lists[i] for i in part.lists], [inputs.number_lists[i] for i in part.numbers]
        joint = part.pooling
        target = self._joined_targets(embedded, joint.targets) if isinstance(joint, JoinedAttention) else None

        def pool(some: Tensor, rows: Tensor | None) -> Tensor:
            def own(whole: Tensor) -> Tensor:
                return whole if rows is None else whole.index_select(0, rows)

            cut = [own(whole)[:, : some.shape[1]] for whole in (*lists, *numbers)]
            items = [self._items(ids, column) for ids, column in zip(cut, columns, strict=False)]
            present = items[0].present
            entries = [torch.where(present, number, 0).unsqueeze(2) for number in cut[len(lists) :]]
            vectors = torch.cat([*(item.vectors for item in items), *entries], dim=2)
            pooled: Tensor = pooling(Padded(vectors, present), None if target is None else own(target))
            return pooled

        return pooled_in_pieces(lists[0], pool)

    def owners(self) -> list[str]:
        """Return the feature that each column of ``x`` belongs to."""
        widths = [*self._embedded(), *((text.name, text.dim) for text in self.layout.texts), *self.numbers.widths]
        owners = [name for name, dim in widths for _ in range(dim)]
        features = self.layout.float_features or self.layout.floats
        return owners + [features[column] for column in self.numbers.others]

    @override
    def forward(self, inputs: Inputs) -> Vectors:
        """Return the vectors of every row.

        Raises:
            ShapeError: as :meth:`check`, which runs here for inputs that do not come from a checked table.
        """
        if not inputs.checked:
            self.check(inputs)
        layout = self.layout
        if self.id_dropout is not None:
            inputs = self.id_dropout(inputs)
        if self.tables.is_apart(inputs.ids.device):
            self.tables.fetch(self._lookups(inputs))
        if not (layout.lists or layout.texts or layout.numbers) and len(self._columns_of) == 1:
            (matrix,) = self._columns_of
            return Vectors(self._embed(inputs.ids, matrix, inputs.floats))
        parts = [self._embed(inputs.ids, matrix) for matrix in self._columns_of]
        # [batch, dims of all id columns]
        embedded, sequences = torch.cat([inputs.floats[:, :0], *parts], dim=1), []
        for i, (ids, column) in enumerate(zip(inputs.lists, self.layout.lists, strict=True)):
            if column.apart:
                sequences.append(self._items(ids, column))
            elif column.pooling is not None:
                weights = None if column.weights is None else inputs.number_lists[column.weights]
                further = self._target(embedded, column) if weights is None else weights
                parts.append(self._pooled(ids, column, self.poolings[str(i)], further))
        parts += [self._pooled_jointly(inputs, part, module, embedded) for part, module in self._joined_poolings()]
        parts += [encoder(texts) for encoder, texts in zip(self.texts, inputs.texts, strict=True)]
        return Vectors(torch.cat([*parts, *self.numbers(inputs.floats)], dim=1), tuple(sequences))

    def _embed(self, ids: Tensor, matrix: str, beside: Tensor | None = None) -> Tensor:
        return self.tables.look_up(matrix, self._lookup(ids, matrix), beside)

    def _lookup(self, ids: Tensor, matrix: str) -> Lookup:
        """Return the lookup of all id columns of one matrix."""
        columns: Tensor = getattr(self, f"columns_{matrix}")
        chosen = ids if len(columns) == ids.shape[1] else ids.index_select(1, columns)
        return Lookup(chosen, getattr(self, f"offsets_{matrix}"))

    def _lookups(self, inputs: Inputs) -> Iterator[tuple[str, Lookup]]:
        """Yield every lookup of a batch, with the name of its matrix."""
        for matrix in self._columns_of:
            yield matrix, self._lookup(inputs.ids, matrix)
        for ids, column in zip(inputs.lists, self.layout.lists, strict=True):
            yield self.layout.fields[column.field].matrix, self._lookup_of_list(ids, column)

    def _pooled(self, ids: Tensor, column: ListColumn, pooling: nn.Module, further: Tensor | None) -> Tensor:
        """Return the pooled vectors ``[batch, dim]`` of a list, from its items and its target or weights."""

        def pool(some: Tensor, rows: Tensor | None) -> Tensor:
            own = further if further is None or rows is None else further.index_select(0, rows)
            if own is not None and column.weights is not None:
                own = own[:, : some.shape[1]]
            pooled: Tensor = pooling(self._items(some, column), own)
            return pooled

        return pooled_in_pieces(ids, pool)

    def _items(self, ids: Tensor, column: ListColumn) -> Padded:
        """Look up the items ``[batch, length]`` of a list."""
        field = self.layout.fields[column.field]
        # zeros for padding
        found = self.tables.look_up(field.matrix, self._lookup_of_list(ids, column))
        vectors = found.view(*ids.shape, field.dim)
        return Padded(vectors, ids >= 0)

    def _lookup_of_list(self, ids: Tensor, column: ListColumn) -> Lookup:
        offset = torch.tensor(self.tables.offsets[column.field], device=ids.device)
        return Lookup(ids, offset.expand(ids.shape[1]))


def _check_beside(items: Tensor | Ragged, numbers: Tensor | Ragged, name: str) -> None:
    """Refuse numbers that do not stand beside items, one for each."""
    expected, found = ([*(lists.values if isinstance(lists, Ragged) else lists).shape] for lists in (items, numbers))
    if found != expected:
        raise ShapeError(f"inputs: expected lists of {name!r} of shape {expected}, as its first one has, found {found}")
