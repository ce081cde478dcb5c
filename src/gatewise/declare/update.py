"""Options of training further."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from gatewise.declare.base import declaration
from gatewise.declare.options import Options
from gatewise.declare.training import Cosine, Plateau, Positive, Schedule, StepDecay

RATE = 0.5
"""The rate of an update as a share of that of the training: a known model needs no steps as long as a new one does."""
Share = Annotated[float, Field(gt=0, lt=1)]


@declaration
class Update:
    """Options of training further; ``Ranker.update`` takes each of them as a keyword argument.

    None of them is ``auto``, and nothing depends on the number of today's rows: batch size, learning rate, optimiser
    and balancing rule are those that the model was trained with.
    """

    epochs: Positive = field(default=3, kw_only=True)
    """Passes over today's rows."""
    lr: Annotated[float, Field(gt=0)] | None = field(default=None, kw_only=True)
    """Learning rate; None: half of the one that the model was trained with, before its schedule."""
    schedule: Schedule | None = field(default=Cosine(), kw_only=True)
    """Schedule of this update's learning rate, over its own steps; None: constant. The schedule that the model was
    trained with is not continued: its end was the end of that training."""
    replay_share: Share = field(default=0.7, kw_only=True)
    """Share of every batch that is drawn from the table ``replay``, if one is given."""
    pull: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """How strongly weights are drawn back to those before the update: each step takes ``lr * pull`` of the way back."""

    admit: bool = field(default=True, kw_only=True)
    """Whether new values get rows, and values that were not seen for ``keep_days`` lose theirs. Without it the table is
    not counted as a day."""

    def of(self, options: Options) -> Options:
        """Return the options of the update of a model that was trained with ``options``."""
        lr = RATE * options.training.decided.lr if self.lr is None else self.lr
        training = replace(options.training, epochs=self.epochs, lr=lr, schedule=self.schedule)
        return replace(options, training=training)


class UpdateOptions(TypedDict, total=False):
    """The options of :class:`Update` as keyword arguments; a test keeps the two equal."""

    epochs: int
    lr: float | None
    schedule: StepDecay | Cosine | Plateau | Literal["step", "cosine", "plateau"] | None
    replay_share: float
    pull: float
    admit: bool
