"""The estimator interface of scikit-learn, so that its splits, searches and pipelines accept a ranker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from gatewise import declare


class Declared(Protocol):
    """A class whose constructor takes a schema and options."""

    schema: declare.Schema
    declared: declare.Options

    def _declare(self, schema: declare.Schema, options: declare.Options) -> None: ...


class Estimator:
    """Parameters by name, and unfitted copies."""

    def get_params(self: Declared, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return all declarations: schema, model, balance, fusion and every training option."""
        options = self.declared
        named = {"schema": self.schema, "model": options.model, "balance": options.balance, "fusion": options.fusion}
        return named | vars(options.training)

    def set_params(self, **params: Any) -> Self:
        """Change some declarations and return the ranker, which is unfitted afterwards.

        Raises:
            DeclarationError: unknown or invalid parameter; names it.
        """
        self.__init__(**{**self.get_params(), **params})  # type: ignore[misc]
        return self

    def __sklearn_clone__(self: Declared) -> Any:
        """Return an unfitted ranker with the same declarations."""
        made = type(self).__new__(type(self))
        made._declare(self.schema, self.declared)
        return made

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: the table holds the labels, so that y is not required."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=InputTags(allow_nan=True))


def is_labels(given: Any, columns: Callable[[], list[str]]) -> bool:
    """Whether the second argument of ``fit`` is scikit-learn's y: a single column that the table holds already.

    Args:
        given: the argument.
        columns: returns the names of the table's columns.
    """
    return getattr(given, "ndim", None) == 1 and getattr(given, "name", None) in columns()
