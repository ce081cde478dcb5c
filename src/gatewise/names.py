"""Names of predictions, used by declarations before training and by tasks when they predict."""

from __future__ import annotations

from collections.abc import Sequence

FUSED = "fused"
"""The column of a fusion's score."""
GATES = "gates"
"""The entry with the weights of the experts, beside the predictions."""
RESERVED = (FUSED, GATES)
"""Reserved names of entries beside the predictions in answers and files."""


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
