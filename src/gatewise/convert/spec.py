"""What a file of weights does not say of a model of another library, and a person has to: the specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from gatewise.declare import Name, declaration, from_dict, read_yaml_file

Rate = Annotated[float, Field(ge=0, lt=1)]
Kind = Literal["binary", "regression"]
MODELS = {
    "torch-rechub": ("MMOE", "SharedBottom", "ESMM", "PLE", "AITM"),
    "deepctr-torch": ("MMOE", "SharedBottom", "ESMM", "PLE"),
}
"""The classes that can be converted, by library."""


@declaration
class FeatureSpec:
    """One feature, as the library that trained the model has it."""

    name: Name
    """The feature's name, also the name of the table's column."""
    kind: Literal["sparse", "sequence", "dense"] = field(default="sparse", kw_only=True)
    """``sparse``: one id per row; ``sequence``: several ids per row; ``dense``: a number, or ``dim`` numbers."""
    dim: Annotated[int, Field(gt=0)] = field(default=1, kw_only=True)
    """Of ``dense``: how many numbers a row has. The width of an embedding is read from the weights."""
    pooling: Literal["mean", "sum", "max"] = field(default="mean", kw_only=True)
    """Of ``sequence``: how the items' embeddings become one vector."""
    padding: int | None = field(default=None, kw_only=True)
    """Of ``sequence``: the id that fills rows up and is no item; None: every id is an item."""
    shares: Name | None = field(default=None, kw_only=True)
    """The name of the embedding table that this feature reads, if it is not the feature's own: another feature's."""


@declaration
class TaskSpec:
    """One task: its name, and what its label is."""

    name: Name
    """The task's name, also the name of the label's column."""
    kind: Kind = field(default="binary", kw_only=True)
    """Whether the label is 0 or 1, or a number."""


@declaration
class Spec:
    """A model of another library: class, features and tasks in its order, activation and dropout.

    Example:
        >>> spec = Spec("MMOE", features=[FeatureSpec("user")], tasks=[TaskSpec("click"), TaskSpec("buy")])
        >>> spec.activation, spec.features[0].kind
        ('relu', 'sparse')
    """

    model: Name
    """The model's class, such as ``MMOE``."""
    features: Annotated[Sequence[FeatureSpec], Field(min_length=1), AfterValidator(tuple)] = field(kw_only=True)
    """Features in the order in which the model was given them."""
    tasks: Annotated[Sequence[TaskSpec], Field(min_length=1), AfterValidator(tuple)] = field(kw_only=True)
    """Tasks in the order of the model's outputs; of ESMM two: the step before, such as a click, and the step after."""
    activation: Name = field(default="relu", kw_only=True)
    """Activation of the hidden layers."""
    dropout: Rate = field(default=0.0, kw_only=True)
    """Dropout rate of the hidden layers, which further training goes on with."""
    tower_activation: Name | None = field(default=None, kw_only=True)
    """Activation of the towers' hidden layers; None: ``activation``."""
    tower_dropout: Rate | None = field(default=None, kw_only=True)
    """Dropout rate of the towers' hidden layers; None: ``dropout``."""

    @property
    def hidden(self) -> dict[str, Any]:
        """The options of hidden layers, by name."""
        return {name: getattr(self, name) for name in ("activation", "dropout", "tower_activation", "tower_dropout")}

    @classmethod
    def read(cls, path: str | Path) -> Spec:
        """Return the specification in a YAML file.

        Raises:
            DeclarationError: the file is absent, is not YAML, or holds unknown or invalid options.
        """
        values = read_yaml_file(path, "specification", "model, features and tasks")
        return from_dict(cls, values, source=str(path))
