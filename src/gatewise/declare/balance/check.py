"""Which balancing goes with which tasks."""

from __future__ import annotations

from gatewise.declare.schema import Schema
from gatewise.declare.tasks import Binary, Label
from gatewise.errors import DeclarationError

ANY_LOSSES = ("static", "tuned_static", "rlw", "smooth_tchebycheff", "metabalance")
"""Rules that see losses but never ask how large one is against 0, or see none."""
ANY_GRADIENTS = ("mgda", "pcgrad", "upgrad", "cagrad", "imtl_g", "aligned_mtl", "dualproj", "fairgrad", "nash_mtl")


def check_balance(kind: str, schema: Schema) -> None:
    """Refuse a rule that takes losses of 0 or more where a task's may fall below.

    Raises:
        DeclarationError: names the rule and the task.
    """
    if kind in (*ANY_LOSSES, *ANY_GRADIENTS):
        return
    for task in schema.tasks:
        if _may_be_negative(task):
            raise DeclarationError(
                f"balance: {kind!r} takes losses of 0 or more, and that of task {task.name!r} may fall below with "
                "learn 'dr': take static, or a rule that sees gradients"
            )


def _may_be_negative(task: Label) -> bool:
    """Return whether it is: pseudo-labels of the doubly robust loss are not bound to 0 and 1."""
    return isinstance(task, Binary) and task.learn == "dr"
