"""Experts with one gate per task."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from typing_extensions import override

from gatewise.declare.architectures.mixture import MixtureOfExperts
from gatewise.declare.base import declaration


@declaration
class MMoE(MixtureOfExperts):
    """Experts mixed by one gate per task (multi-gate mixture-of-experts; Ma et al., KDD 2018).

    Example:
        >>> MMoE(experts=4, expert_dims=[16]).expert_dims
        (16,)
    """

    kind: Literal["mmoe"] = field(default="mmoe", kw_only=True, repr=False)

    @property
    @override
    def gate_per_task(self) -> bool:
        return True
