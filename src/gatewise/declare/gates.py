"""Gates: how experts are weighed, and what keeps gates from collapsing."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import Names, Rate, declaration, shorthand
from gatewise.declare.doors import OpenTo

Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
Penalty = Annotated[float, Field(ge=0)]


@declaration
class Gate:
    """What all gates have; each option is off by default."""

    features: Names = field(default=(), kw_only=True)
    """The features that gates read, such as a scenario; none: the whole input."""
    dropout: Rate = field(default=0.0, kw_only=True)
    """Share of the experts' weights set to 0 in training; the others are scaled to sum to 1."""
    importance: Penalty = field(default=0.0, kw_only=True)
    """Strength of the squared coefficient of variation of the experts' total weights in a batch."""
    entropy: Penalty = field(default=0.0, kw_only=True)
    """Strength of what the entropy of the weights lacks to that of even ones."""


@declaration
class LogitGate(Gate):
    """What gates have that make weights of logits."""

    temperature: Positive = field(default=1.0, kw_only=True)
    """The logits are divided by it: high ones keep the weights even."""
    final_temperature: Positive | None = field(default=None, kw_only=True)
    """The temperature moves to this one in ``anneal_steps``."""
    anneal_steps: Annotated[int, Field(ge=0)] = field(default=0, kw_only=True)
    """How many batches that takes."""
    z_loss: Penalty = field(default=0.0, kw_only=True)
    """Strength of the squared log-sum-exp of the logits, which keeps them small."""
    zero_init: bool = field(default=False, kw_only=True)
    """Start with even weights."""

    @model_validator(mode="after")
    def _annealing_is_whole(self) -> LogitGate:
        if (self.final_temperature is None) != (self.anneal_steps == 0):
            raise ValueError("final_temperature and anneal_steps go together")
        return self


@declaration
class SoftmaxGate(LogitGate):
    """All experts count, as much as softmax(W x) says."""

    bias: bool = field(default=False, kw_only=True)
    """Whether the last layer has a bias."""
    kind: Literal["softmax"] = field(default="softmax", kw_only=True, repr=False)


@declaration
class AttentionGate(LogitGate):
    """All experts count; every gate has a query that looks at parts of the input."""

    tokens: Count = field(default=8, kw_only=True)
    """How many parts the input is seen as."""
    width: Count = field(default=32, kw_only=True)
    """Width of a part, all heads together."""
    heads: Count = field(default=4, kw_only=True)
    """How many heads each query has; ``width`` is a multiple of it."""
    kind: Literal["attention"] = field(default="attention", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> AttentionGate:
        if self.width % self.heads:
            raise ValueError(f"width: expected a multiple of {self.heads} heads, found {self.width}")
        return self


@declaration
class TopKGate(LogitGate):
    """The k experts with the largest logits count, the others not at all (Shazeer et al., ICLR 2017)."""

    k: Count = field(default=2, kw_only=True)
    """How many experts count."""
    noisy: bool = field(default=False, kw_only=True)
    """Whether the choice is noisy in training."""
    bias: bool = field(default=False, kw_only=True)
    """Whether the last layer has a bias."""
    kind: Literal["top_k"] = field(default="top_k", kw_only=True, repr=False)


@declaration
class DSelectKGate(Gate):
    """k selectors, each of which settles on one expert by a binary code (Hazimeh et al., NeurIPS 2021)."""

    k: Count = field(default=2, kw_only=True)
    """How many selectors."""
    per_row: bool = field(default=True, kw_only=True)
    """Whether the choice depends on the input."""
    gamma: Positive = field(default=1.0, kw_only=True)
    """Width of the smooth step."""
    selector_entropy: Penalty = field(default=1e-3, kw_only=True)
    """Strength of the selectors' entropy, which drives each to one expert."""
    unused_codes: Penalty = field(default=1e-3, kw_only=True)
    """Keeps selectors away from codes without an expert, where the number of experts is no power of two."""
    kind: Literal["dselect_k"] = field(default="dselect_k", kw_only=True, repr=False)


@declaration
class RegisteredGate:
    """What registered modules have that give weights and are no subclasses of ours: no option of all gates."""

    @property
    def features(self) -> tuple[str, ...]:
        """The features that gates read: none, which is the whole input."""
        return ()


AnyGate = Annotated[
    Annotated[SoftmaxGate | AttentionGate | TopKGate | DSelectKGate, Field(discriminator="kind")],
    shorthand,
    OpenTo("gate"),
]
