"""What a training of a known model goes on with."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

from gatewise import declare
from gatewise.data import Turnover
from gatewise.errors import GatewiseWarning
from gatewise.preparing import Prepared, Ripened
from gatewise.serving import Scorer, grow
from gatewise.training import Kept, MixedRows, TrainingRows, grown_state

OFTEN = 5
"""Passes over the earlier rows per epoch from which they are too few."""


@dataclass(frozen=True)
class Further:
    """A model to be trained further.

    Attributes:
        scorer: encoder, tasks and the model, which stays unchanged.
        kept: the state that its training left behind.
        options: options of the update.
        replay: any table of earlier rows, or None.
        ripened: rows whose labels became final since the last training, or None.
        turnover: what today's values did to the vocabularies.
    """

    scorer: Scorer
    kept: Kept
    options: declare.Update
    replay: Any
    ripened: Ripened | None = None
    turnover: dict[str, Turnover] = field(default_factory=dict)

    def grown(self, architecture: declare.Architecture, today: Any) -> Further:
        """Return the model with rows for today's new values, and without those that were not seen for too long.

        Raises:
            TableError: a column is missing or of another type; names the feature.
        """
        grown = grow(self.scorer, architecture, today, a_day=True)
        kept = grown_state(self.kept, self.scorer.model, grown.scorer.model, grown.reset)
        return replace(self, scorer=grown.scorer, kept=kept, turnover=grown.turnover)

    def mixed(self, prepared: Prepared) -> TrainingRows:
        """Return the rows to train on: today's, with earlier ones in every batch if there are any.

        Raises:
            DeclarationError: a batch has no room for both, or there are no earlier rows.

        Warns:
            GatewiseWarning: the earlier rows are so few that an epoch goes through them many times.
        """
        if prepared.replay is None:
            return prepared.train
        batch_size = prepared.options.training.decided.batch_size
        rows = MixedRows(prepared.train, prepared.replay, batch_size, self.options.replay_share)
        if rows.passes > OFTEN:
            few = f"replay: its {len(prepared.replay):,} rows are gone through {rows.passes:.0f} times in an epoch"
            warnings.warn(f"{few}: give more rows, or a smaller replay_share", GatewiseWarning, stacklevel=5)
        return rows
