"""Experts with one gate for all tasks."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.mixture import MixtureOfExperts
from gatewise.declare.base import declaration


@declaration
class OMoE(MixtureOfExperts):
    """Experts mixed by one gate for all tasks (one-gate mixture-of-experts; Ma et al., KDD 2018)."""

    kind: Literal["omoe"] = field(default="omoe", kw_only=True, repr=False)
