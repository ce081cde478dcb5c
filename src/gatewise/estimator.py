"""The estimator interface of scikit-learn, so that its splits, searches and pipelines accept a ranker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

from gatewise import declare
from gatewise.data import is_named
from gatewise.errors import TableError, did_you_mean, shown


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

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say what to call instead of an attribute that people know from elsewhere."""
            told = INSTEAD.get(name)
            known = [] if told or name.startswith("_") else [own for own in dir(type(self)) if not own.startswith("_")]
            hint = f": {told}" if told else did_you_mean(name, known)
            raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}")

    def __sklearn_clone__(self: Declared) -> Any:
        """Return an unfitted ranker with the same declarations."""
        made = type(self).__new__(type(self))
        made._declare(self.schema, self.declared)
        return made

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: the table holds the labels, so that y is not required."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=InputTags(allow_nan=True))


INSTEAD = {
    "predict_proba": "predict returns the probabilities, one column per task; "
    "gatewise.sklearn.GatewiseClassifier has predict_proba",
    "decision_function": "predict returns probabilities and numbers, one column per task",
    "score": "evaluate returns the metrics of every task",
    "transform": "predict returns the predictions, one column per task",
    "fit_predict": "call fit, then predict",
    "fit_transform": "call fit, then predict",
    "partial_fit": "update continues the training on other rows",
    "feature_importances_": "feature_importance returns them, by task, from a table with labels",
    "compile": "Ranker(..., compile=True) compiles the training step, and other options stand there, too",
    "train": "fit trains; the PyTorch module is model, as in model.train()",
    "eval": "predict and evaluate need no mode; the PyTorch module is model, as in model.eval()",
    "forward": "predict takes a table; the PyTorch module is model, and takes encoded rows",
    "parameters": "the PyTorch module is model, as in model.parameters(); summary counts them",
    "named_parameters": "the PyTorch module is model, as in model.named_parameters(); summary counts them",
    "state_dict": "save writes an artefact; the PyTorch module is model, as in model.state_dict()",
    "load_state_dict": "gatewise.load reads an artefact; the PyTorch module is model",
    "module": "the PyTorch module is model",
    "load": "gatewise.load reads an artefact",
    "load_model": "gatewise.load reads an artefact",
    "save_model": "save writes an artefact",
}
"""What to call instead of methods that people know from elsewhere."""


def refuse_labels(given: Any, schema: declare.Schema, columns: Callable[[], list[str]]) -> None:
    """Refuse labels as the second argument of ``fit``, and say where they belong.

    Args:
        given: the argument.
        schema: features and tasks.
        columns: returns the names of the table's columns.

    Raises:
        TableError: the argument is a single column or a matrix, or has no column but labels.
    """
    labels = [declare.column_of(task) for task in schema.tasks]
    if not _holds_labels_alone(given, labels):
        return
    there = columns()
    missing = shown(repr(name) for name in labels if name not in there)
    where = "and are there already: leave the second argument out" if missing == "none" else f"add {missing} to it"
    told = "the second argument of fit is a validation table; for fit(X, y) there is gatewise.sklearn"
    raise TableError(f"fit: labels are columns of the training table, {where} ({told})")


def _holds_labels_alone(given: Any, labels: list[str]) -> bool:
    if given is None or is_named(given):
        return False
    if isinstance(given, (list, tuple)):
        return bool(given) and not any(isinstance(each, Mapping) for each in given)
    if isinstance(given, Mapping):
        return {str(name) for name in given} <= set(labels)
    if (names := getattr(given, "column_names", getattr(given, "columns", None))) is not None:
        return not callable(names) and {str(name) for name in names} <= set(labels)
    # an array or a series
    return hasattr(given, "dtype") or hasattr(given, "type")


def is_labels(given: Any, columns: Callable[[], list[str]]) -> bool:
    """Whether the second argument of ``fit`` is scikit-learn's y: a single column that the table holds already.

    Args:
        given: the argument.
        columns: returns the names of the table's columns.
    """
    return getattr(given, "ndim", None) == 1 and getattr(given, "name", None) in columns()
