"""The contract of every kind of feature: everything but its declaration and its operations in an exported graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import pyarrow as pa

from gatewise.data.absorbed import State
from gatewise.data.columns.description import Description
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.matrix import Coded
from gatewise.data.ragged import Encoded
from gatewise.data.tables import pick_column, read_table
from gatewise.data.vocabularies import AnyVocabulary, Turnover, Values
from gatewise.declare import column_of, columns_of

Declared = TypeVar("Declared", bound=Any)
Prepared = TypeVar("Prepared")


class FeatureColumn(ABC, Generic[Declared, Prepared]):
    """A feature's column: what it learns from the training table, and how it encodes values for the model.

    The training table, or each of its pieces, is *prepared* (checked and converted to a known type) and *absorbed*;
    after the last piece, ``learn`` is called. The result does not depend on the cut into pieces. ``encode`` encodes
    a prepared column for the model. ``encode_column`` encodes a column of any other table, and ``encode_values`` the
    values of a request, with equal results and less preparation.

    A new kind is a subclass, a declaration in ``gatewise.declare``, and an entry in ``COLUMNS``.

    Args:
        feature: the feature's declaration.
    """

    state_type: ClassVar[Any] = None
    """The ``TypedDict`` of :meth:`state`, which validates a saved state; None: nothing is saved."""
    section: ClassVar[Literal["features", "vocabularies"]] = "features"
    """Section of an encoder's state that holds the column's state."""
    prepares_again: ClassVar[bool] = False
    """Whether preparing the column a second time, for encoding, costs less than keeping it prepared meanwhile."""
    text_priority: ClassVar[int] = 0
    """Priority of ``text_type`` if several features read one column: the highest decides."""

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
    def columns(self) -> tuple[str, ...]:
        """The names of all columns of the table that the feature reads, :attr:`column` first."""
        return columns_of(self.feature)

    @property
    def text_type(self) -> pa.DataType | None:
        """Type for reading the column of a text file before anything is learnt; None: inferred from the values."""
        return None

    @property
    def text_types(self) -> dict[str, pa.DataType | None]:
        """The :attr:`text_type` of every column that is read."""
        return {self.column: self.text_type}

    @property
    def vocabulary(self) -> AnyVocabulary | None:
        """The vocabulary, the column's own or a shared one; None for a kind without vocabulary."""
        return None

    @property
    def vocabularies(self) -> dict[str, AnyVocabulary]:
        """The vocabularies that are not another feature's, by the name of their embedding table."""
        return {} if self.vocabulary is None else {self.name: self.vocabulary}

    @property
    def purpose(self) -> str:
        """The reader of the column, such as ``feature 'age'``, for messages."""
        return f"feature {self.name!r}"

    def pick(self, table: pa.Table) -> pa.Array:
        """Return the column of a table in a plain type, or in the declared type if there is one.

        A feature of several columns returns them as one array of structs.

        Raises:
            TableError: the column is missing, or does not hold the declared type; names the feature.
        """
        return pick_column(table, self.column, self.purpose)

    def remark(self, table: pa.Table) -> str | None:  # noqa: ARG002
        """Return a warning if the column's values look like something else than declared; None otherwise."""
        return None

    def remark_before_learning(self, table: pa.Table) -> str | None:  # noqa: ARG002
        """Return a warning as :meth:`remark` does, for the training table alone; None otherwise."""
        return None

    @abstractmethod
    def prepare(self, column: pa.Array) -> Prepared:
        """Return a picked column, checked, in the form that :meth:`absorb` and :meth:`encode` take.

        Raises:
            TableError: the column holds values that the declaration excludes; names the feature and, if known, the row.
        """

    def absorb(self, prepared: Prepared) -> None:  # noqa: ARG002
        """Collect what is to be learnt from the training table, or from a piece of it; by default nothing."""
        return

    def absorbed(self) -> State:
        """Return what was absorbed, for :meth:`merge`; a kind that overrides :meth:`absorb` overrides both."""
        return {}

    def merge(self, absorbed: State) -> None:  # noqa: ARG002
        """Take in what the next part of the training table gave, as if its pieces had been absorbed here.

        Args:
            absorbed: what :meth:`absorbed` returned, with Arrow arrays or NumPy arrays.

        Raises:
            TableError: the parts hold what one table cannot.
        """
        return

    @property
    def merges(self) -> bool:
        """Whether parts of a table can be merged: :meth:`merge` knows of what :meth:`absorb` collects."""
        kinds = type(self).__mro__
        merge, absorb = (next(kind for kind in kinds if name in vars(kind)) for name in ("merge", "absorb"))
        return issubclass(merge, absorb)

    def learn(self) -> None:
        """Learn from everything that was absorbed; by default nothing."""
        return

    @abstractmethod
    def encode(self, prepared: Prepared) -> Encoded:
        """Return the encoded values of a prepared column, with as many rows."""

    def encode_into_matrix(self, prepared: Prepared) -> Encoded | Coded:
        """Return the encoded values of a prepared column, which may be looked up as they are put into a matrix."""
        return self.encode(prepared)

    def encode_column(self, column: pa.Array) -> Encoded:
        """Return the encoded values of a picked column.

        Raises:
            TableError: see :meth:`prepare`.
        """
        return self.encode(self.prepare(column))

    def encode_table(self, table: pa.Table) -> Encoded:
        """Return the encoded values of the feature's column in a table.

        Raises:
            TableError: see :meth:`pick` and :meth:`prepare`.
        """
        return self.encode_column(self.pick(table))

    def encode_values(self, values: Values, *further: Values) -> Encoded:
        """Return encoded Python values, as JSON gives them, equal to those of a column with these values.

        Args:
            values: the values of the feature's column.
            further: the values of its further columns, in the order of :attr:`columns`.

        Raises:
            TableError: as for a table whose columns hold the values.
        """
        found = self.encode_usual(values) if len(self.columns) == 1 else None
        if found is not None:
            return found
        return self.encode_table(read_table(dict(zip(self.columns, (values, *further), strict=True))))

    def encode_usual(self, values: Values) -> Encoded | None:  # noqa: ARG002
        """Return encoded Python values of usual types, without a table; None if a table has to be made."""
        return None

    @property
    def learnt_type(self) -> pa.DataType | None:
        """The type of the training table's values, for reading text files; None: not fixed."""
        return None

    def successor(self, *owners: Any) -> FeatureColumn[Any, Any]:  # noqa: ARG002
        """Return a column that can learn further values, and leave this one unchanged; itself if it cannot grow.

        Args:
            owners: the successors of the columns whose vocabularies this one shares.
        """
        return self

    def grow(self, prepared: Prepared) -> None:  # noqa: ARG002
        """Learn the new values of a column, and leave known values unchanged; by default nothing."""
        return

    def turn_over(self, *, a_day: bool) -> dict[str, Turnover]:  # noqa: ARG002
        """Admit values after everything that :meth:`grow` took in, and say what came of it, by vocabulary.

        Args:
            a_day: whether the table was a day, which counts, and on which values that were not seen may leave.
        """
        return {}

    @property
    def grows(self) -> bool:
        """Whether :meth:`grow` reads the values of a further table."""
        return False

    @property
    def saves(self) -> bool:
        """Whether :meth:`state` returns something that :meth:`restore` needs."""
        return self.state_type is not None

    @abstractmethod
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add the encoded feature's columns and its embedding table to the layout."""

    @abstractmethod
    def description(self) -> Description:
        """Return the description of the column's values, for people and clients."""

    def descriptions(self) -> dict[str, Description]:
        """Return the description of every column that is read."""
        return {self.column: self.description()}

    @property
    def empty_is_null(self) -> bool:
        """Whether an empty string means null, for clients that cannot send null."""
        return False

    @property
    def particular(self) -> int:
        """Priority for made-up values if several features read one column: the highest one draws."""
        return 0

    @abstractmethod
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return made-up values of all sorts: known, unseen and null values, extremes, lists of any length."""

    def sample_aligned(self, lengths: Sequence[int | None], rng: np.random.Generator) -> dict[str, list[Any]]:
        """Return made-up values of every column of a feature that reads several, lists of the given lengths.

        Args:
            lengths: the number of items in every row; None: the row is null.
            rng: draws the values.
        """
        raise NotImplementedError(f"{type(self).__name__} reads several columns: it needs a method sample_aligned")

    def state(self) -> Any:
        """Return the learnt state as JSON values; None for a kind that saves nothing."""
        return None

    def restore(self, state: Any) -> None:  # noqa: ARG002
        """Restore a saved :meth:`state`.

        Args:
            state: a value of :attr:`state_type`.
        """
        return
