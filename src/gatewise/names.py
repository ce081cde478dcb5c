"""What predictions are called: declarations say it before there is a model, tasks when they predict."""

from __future__ import annotations

from collections.abc import Sequence

FUSED = "fused"
"""The one score that a fusion makes of all."""
GATES = "gates"
"""The weights of the experts, beside the predictions."""
RESERVED = (FUSED, GATES)
"""What stands beside the predictions in answers and files: no prediction can be called so."""


def given_name(step: str, before: str) -> str:
    """Return the name of a step's probability given the step before.

    Example:
        >>> given_name("buy", "click")
        'buy_given_click'
    """
    return f"{step}_given_{before}"


def joint_name(steps: Sequence[str]) -> str:
    """Return the name of the probability that all steps are taken.

    Example:
        >>> joint_name(["click", "buy"])
        'click_and_buy'
    """
    return "_and_".join(steps)


def positive_name(value: str) -> str:
    """Return the name of the probability that a value is above 0.

    Example:
        >>> positive_name("revenue")
        'revenue[>0]'
    """
    return f"{value}[>0]"
