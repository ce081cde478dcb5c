"""The options of a ranker: all that is declared beside its schema."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import AfterValidator

from gatewise.declare.architectures import AnyArchitecture, MMoE
from gatewise.declare.balance import AnyBalance, Static
from gatewise.declare.base import declaration, shorthand
from gatewise.declare.fusion import Fusion
from gatewise.declare.training import Training
from gatewise.errors import DeclarationError


def _expression(text: str) -> str:
    """Refuse what is no expression; it is kept as it was written."""
    try:
        Fusion.parse(text)
    except DeclarationError as error:
        raise ValueError(str(error).removeprefix("fusion: ")) from None
    return text


@declaration
class Options:
    """Architecture, balancing, training and fusion of a ranker; the first two also by name alone."""

    model: Annotated[AnyArchitecture, shorthand] = field(default=MMoE(), kw_only=True)
    """How the tasks share."""
    balance: AnyBalance = field(default=Static(), kw_only=True)
    """How the tasks' losses are weighed."""
    training: Training = field(default=Training(), kw_only=True)
    """How the model is trained."""
    fusion: Annotated[str, AfterValidator(_expression)] | None = field(default=None, kw_only=True)
    """An expression that makes one score of all predictions, such as ``click + 3 * purchase^0.5``."""

    @property
    def parsed_fusion(self) -> Fusion | None:
        """The fusion as a tree that can be evaluated."""
        return None if self.fusion is None else Fusion.parse(self.fusion)
