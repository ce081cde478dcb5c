"""Features whose embedding tables several processes share."""

from __future__ import annotations

from gatewise.declare.events import Events
from gatewise.declare.features import shared_table
from gatewise.declare.schema import Schema, sequence_of
from gatewise.declare.training import Training
from gatewise.errors import DeclarationError, did_you_mean


def check_tables(schema: Schema, training: Training) -> None:
    """Refuse names of features, in ``training.tables``, that have no embedding table of their own.

    Raises:
        DeclarationError: names the feature, and the feature to name instead.
    """
    if isinstance(training.tables, str):
        return
    parts = [sequence_of(part, each) for each in schema.features if isinstance(each, Events) for part in each.ids]
    owners = {each.name: shared_table(each) for each in [*schema.features, *parts] if not isinstance(each, Events)}
    for name in training.tables:
        if name not in owners:
            own = [each for each, owner in owners.items() if owner is None]
            raise DeclarationError(f"training.tables: no feature {name!r} has a table{did_you_mean(name, own)}")
        if (owner := owners[name]) is not None:
            raise DeclarationError(f"training.tables: {name!r} has the table of {owner!r}: name {owner!r}")
