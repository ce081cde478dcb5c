"""Check that a balancing rule fits the tasks."""

from __future__ import annotations

from typing import Any

from gatewise.declare.balance.by_directions import Direction
from gatewise.declare.balance.by_losses import RLW, SmoothTchebycheff
from gatewise.declare.balance.by_sizes import MetaBalance
from gatewise.declare.balance.static import Static, TunedStatic
from gatewise.declare.schema import Schema
from gatewise.declare.tasks import Binary, Label
from gatewise.errors import DeclarationError

ANY_LOSSES = (Static, TunedStatic, RLW, SmoothTchebycheff, MetaBalance, Direction)
"""Rules to which it is the same how large a loss is against 0."""


def check_balance(balance: Any, schema: Schema) -> None:
    """Refuse a rule that needs non-negative losses if a task's loss may be negative.

    Raises:
        DeclarationError: names the rule and the task.
    """
    if isinstance(balance, ANY_LOSSES):
        return
    for task in schema.tasks:
        if _may_be_negative(task):
            raise DeclarationError(
                f"balance: {balance.kind!r} takes losses of 0 or more, and that of task {task.name!r} may fall below "
                "with learn 'dr': take static, or a rule that sees gradients"
            )


def _may_be_negative(task: Label) -> bool:
    """Return whether the task's loss may be negative: the doubly robust loss has pseudo-labels outside of 0 and 1."""
    return isinstance(task, Binary) and task.learn == "dr"
