"""The options of a ranker, without its schema."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import AfterValidator

from gatewise.declare.architectures import CGC, AnyArchitecture
from gatewise.declare.balance import AnyBalance, Static
from gatewise.declare.base import AUTO, declaration, shorthand
from gatewise.declare.fusion import Fusion
from gatewise.declare.number_embeddings import PiecewiseLinear
from gatewise.declare.training import Training
from gatewise.errors import DeclarationError

DEFAULT_MODEL = CGC(
    own_experts=1,
    shared_experts=2,
    dropout=0.1,
    id_dropout=20.0,
    members=AUTO,
    numbers=PiecewiseLinear(beyond="flat"),
)
"""The model where none is declared; ``docs/training.md`` shows what each of its options gains on real tables."""


def _expression(text: str) -> str:
    """Return the text unchanged; refuse texts that are not expressions."""
    try:
        Fusion.parse(text)
    except DeclarationError as error:
        raise ValueError(str(error).removeprefix("fusion: ")) from None
    return text


@declaration
class Options:
    """Architecture, balancing, training and fusion of a ranker; architecture and balancing also by just their kind."""

    model: Annotated[AnyArchitecture, shorthand] = field(default=DEFAULT_MODEL, kw_only=True)
    """The architecture: how tasks share layers; by default CGC, an MMoE whose tasks have experts of
    their own beside the shared ones, see ``DEFAULT_MODEL``."""
    balance: AnyBalance = field(default=Static(), kw_only=True)
    """The balancing rule, which weighs the tasks' losses."""
    training: Training = field(default=Training(), kw_only=True)
    """Options of the training."""
    fusion: Annotated[str, AfterValidator(_expression)] | None = field(default=None, kw_only=True)
    """An expression of one score from all predictions, such as ``click + 3 * purchase^0.5``."""

    @property
    def parsed_fusion(self) -> Fusion | None:
        """The parsed fusion; None without a fusion."""
        return None if self.fusion is None else Fusion.parse(self.fusion)
