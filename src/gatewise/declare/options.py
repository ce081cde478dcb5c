"""The options of a ranker: all that is declared beside its schema."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from gatewise.declare.architectures import AnyArchitecture, MMoE
from gatewise.declare.balance import AnyBalance, Static
from gatewise.declare.base import declaration, shorthand
from gatewise.declare.training import Training


@declaration
class Options:
    """Architecture, balancing and training of a ranker; the first two also by name alone."""

    model: Annotated[AnyArchitecture, shorthand] = field(default=MMoE(), kw_only=True)
    """How the tasks share."""
    balance: AnyBalance = field(default=Static(), kw_only=True)
    """How the tasks' losses are weighed."""
    training: Training = field(default=Training(), kw_only=True)
    """How the model is trained."""
