"""What scikit-learn asks of an estimator, so that its splits, searches and pipelines take a ranker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from gatewise import declare


class Declared(Protocol):
    """Something made of a schema and options."""

    schema: declare.Schema
    options: declare.Options

    def _declare(self, schema: declare.Schema, options: declare.Options) -> None: ...


class Estimator:
    """Parameters by name, and copies that have learnt nothing."""

    def get_params(self: Declared, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return everything that was declared: schema, model, balance, fusion and every option of the training."""
        options = self.options
        named = {"schema": self.schema, "model": options.model, "balance": options.balance, "fusion": options.fusion}
        return named | vars(options.training)

    def set_params(self, **params: Any) -> Self:
        """Declare some parameters anew; the ranker is unfitted afterwards.

        Raises:
            DeclarationError: an unknown or invalid one, by name.
        """
        self.__init__(**{**self.get_params(), **params})  # type: ignore[misc]
        return self

    def __sklearn_clone__(self: Declared) -> Any:
        """Return an unfitted ranker of the same declarations."""
        made = type(self).__new__(type(self))
        made._declare(self.schema, self.options)
        return made

    def __sklearn_tags__(self) -> Any:
        """Say that the table holds the labels: there is no y."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=InputTags(allow_nan=True))


def is_labels(given: Any, columns: Callable[[], list[str]]) -> bool:
    """Whether a second argument of ``fit`` is scikit-learn's y: a single column that the table holds already.

    Args:
        given: the argument.
        columns: gives the names of the table's columns.
    """
    return getattr(given, "ndim", None) == 1 and getattr(given, "name", None) in columns()
