"""The contract: everything that is known of one kind of feature, but for its declaration and its place in a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import pyarrow as pa

from gatewise.data.columns.description import Description
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.ragged import Encoded
from gatewise.data.tables import pick_column, read_table
from gatewise.data.vocabularies import AnyVocabulary, Values
from gatewise.declare import column_of

Declared = TypeVar("Declared", bound=Any)
Prepared = TypeVar("Prepared")


class FeatureColumn(ABC, Generic[Declared, Prepared]):
    """A feature's column: what is learnt of the training table, and how values become what a model reads.

    The training table, or every piece of it, is *prepared* (checked, and brought to a known type), *absorbed* and, once
    all of it was absorbed, *learnt*; the result does not depend on how it was cut. Of what was prepared, ``encode``
    makes what the model reads. Any other table is encoded by ``encode_column``, and values of a request by
    ``encode_values``, with no more preparation than they need and the same result.

    A new kind is a subclass, a declaration in ``gatewise.declare``, and an entry in ``COLUMNS``.

    Args:
        feature: the declaration.
    """

    state_type: ClassVar[Any] = None
    """The ``TypedDict`` that :meth:`state` gives, by which a saved one is judged; None: nothing is saved."""
    section: ClassVar[Literal["features", "vocabularies"]] = "features"
    """Where in the state of a whole encoder that of the column stands."""
    text_priority: ClassVar[int] = 0
    """Which kind decides of ``text_type`` where several read one column: the highest."""

    def __init__(self, feature: Declared) -> None:
        self.feature = feature

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.feature.name

    @property
    def column(self) -> str:
        """The name of the table's column."""
        return column_of(self.feature)

    @property
    def text_type(self) -> pa.DataType | None:
        """What the column of a text file is read as before anything is learnt; None: what its values look like."""
        return None

    @property
    def vocabulary(self) -> AnyVocabulary | None:
        """What values are looked up in, the column's own or one that it shares; None where they are not."""
        return None

    @property
    def purpose(self) -> str:
        """Who asks for the column, for messages."""
        return f"feature {self.name!r}"

    def pick(self, table: pa.Table) -> pa.Array:
        """Return the column of a table, of a plain type, and of the declared one where there is one.

        Raises:
            TableError: there is no such column, or it does not hold what is declared; names the feature.
        """
        return pick_column(table, self.column, self.purpose)

    def remark(self, table: pa.Table) -> str | None:  # noqa: ARG002
        """Return what the table's column seems to mean otherwise than it is read, for a warning."""
        return None

    @abstractmethod
    def prepare(self, column: pa.Array) -> Prepared:
        """Check a picked column and bring it to what is absorbed and encoded.

        Raises:
            TableError: it holds what the declaration excludes; names the feature and, where there is one, the row.
        """

    def absorb(self, prepared: Prepared) -> None:  # noqa: ARG002
        """Take the training table in, or one more piece of it: nothing is learnt of it."""
        return

    def learn(self) -> None:
        """Settle what was learnt of all that was absorbed: nothing."""
        return

    @abstractmethod
    def encode(self, prepared: Prepared) -> Encoded:
        """Return what the model reads of a prepared column: as many rows as it has."""

    def encode_column(self, column: pa.Array) -> Encoded:
        """Encode a picked column.

        Raises:
            TableError: see :meth:`prepare`.
        """
        return self.encode(self.prepare(column))

    def encode_table(self, table: pa.Table) -> Encoded:
        """Encode the feature's column of a table.

        Raises:
            TableError: see :meth:`pick` and :meth:`prepare`.
        """
        return self.encode_column(self.pick(table))

    def encode_values(self, values: Values) -> Encoded:
        """Encode Python values, as JSON brings them, exactly as a column that holds them.

        Raises:
            TableError: as of a table whose column holds the values.
        """
        found = self.encode_usual(values)
        return self.encode_table(read_table({self.column: values})) if found is None else found

    def encode_usual(self, values: Values) -> Encoded | None:  # noqa: ARG002
        """Encode Python values without a table where they are of usual types; None where a table has to be made."""
        return None

    @property
    def learnt_type(self) -> pa.DataType | None:
        """The type that the training table's values had, where a text file is to be read so."""
        return None

    def successor(self, owner: Any = None) -> FeatureColumn[Any, Any]:  # noqa: ARG002
        """Return a column that can learn further values while this one stays: itself where there is nothing to add."""
        return self

    def grow(self, prepared: Prepared) -> None:  # noqa: ARG002
        """Learn the values of a column that are new, so that what is known stays as it is: nothing is learnt."""
        return

    @property
    def grows(self) -> bool:
        """Whether the values of a further table are looked at by :meth:`grow`."""
        return False

    @property
    def saves(self) -> bool:
        """Whether :meth:`state` gives something that :meth:`restore` needs."""
        return self.state_type is not None

    @abstractmethod
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Say which columns the encoded feature has, and which embedding table it needs."""

    @abstractmethod
    def description(self) -> Description:
        """Return what the column holds, for people and clients."""

    @property
    def empty_is_null(self) -> bool:
        """Whether an empty string of a client that knows no null says that there is no value."""
        return False

    @property
    def particular(self) -> int:
        """How particular the feature is about values: of a column that several read, the most particular one draws."""
        return 0

    @abstractmethod
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return made-up values that go everywhere: known, unseen and null ones, far out, lists of any length."""

    def state(self) -> Any:
        """Return what was learnt as JSON values; None where nothing is saved."""
        return None

    def restore(self, state: Any) -> None:  # noqa: ARG002
        """Take over what :meth:`state` gave.

        Args:
            state: a value of :attr:`state_type`.
        """
        return
