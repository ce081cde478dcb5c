"""Gates: weights of experts, and penalties against collapsed gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from gatewise.declare.base import Names, Rate, declaration, shorthand
from gatewise.declare.doors import OpenTo

Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
Penalty = Annotated[float, Field(ge=0)]


@declaration
class Gate:
    """Options of all gates; each option is off by default."""

    features: Names = field(default=(), kw_only=True)
    """Names of the features that gates read, such as a scenario; empty: the whole input."""
    dropout: Rate = field(default=0.0, kw_only=True)
    """Share of the experts' weights set to 0 in training; the other weights are scaled to sum to 1."""
    importance: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: squared coefficient of variation of the experts' total weights in a batch."""
    entropy: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: entropy of even weights minus entropy of the gate's weights."""


@declaration
class LogitGate(Gate):
    """Options of gates whose weights come from logits."""

    temperature: Positive = field(default=1.0, kw_only=True)
    """Divisor of the logits; a high temperature keeps the weights even."""
    final_temperature: Positive | None = field(default=None, kw_only=True)
    """Temperature after ``anneal_steps``; None: the temperature stays."""
    anneal_steps: Annotated[int, Field(ge=0)] = field(default=0, kw_only=True)
    """Number of batches from the first to the final temperature."""
    z_loss: Penalty = field(default=0.0, kw_only=True)
    """Strength of the penalty: squared log-sum-exp of the logits, which keeps logits small."""
    zero_init: bool = field(default=False, kw_only=True)
    """Whether training starts with even weights."""

    @model_validator(mode="after")
    def _annealing_is_whole(self) -> LogitGate:
        if (self.final_temperature is None) != (self.anneal_steps == 0):
            raise ValueError("final_temperature and anneal_steps go together")
        return self


@declaration
class SoftmaxGate(LogitGate):
    """All experts have weights, softmax(W x)."""

    bias: bool = field(default=False, kw_only=True)
    """Whether the last layer has a bias."""
    kind: Literal["softmax"] = field(default="softmax", kw_only=True, repr=False)


@declaration
class AttentionGate(LogitGate):
    """All experts have weights; every gate has a query that attends to parts of the input."""

    tokens: Count = field(default=8, kw_only=True)
    """Number of parts of the input."""
    width: Count = field(default=32, kw_only=True)
    """Width of a part, summed over all heads."""
    heads: Count = field(default=4, kw_only=True)
    """Number of heads per query; divides ``width``."""
    kind: Literal["attention"] = field(default="attention", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> AttentionGate:
        if self.width % self.heads:
            raise ValueError(f"width: expected a multiple of {self.heads} heads, found {self.width}")
        return self


@declaration
class TopKGate(LogitGate):
    """Only the k experts with the largest logits have weights above 0 (Shazeer et al., ICLR 2017)."""

    k: Count = field(default=2, kw_only=True)
    """Number of experts with a weight above 0."""
    noisy: bool = field(default=False, kw_only=True)
    """Whether noise is added to the logits in training."""
    bias: bool = field(default=False, kw_only=True)
    """Whether the last layer has a bias."""
    kind: Literal["top_k"] = field(default="top_k", kw_only=True, repr=False)


@declaration
class DSelectKGate(Gate):
    """k selectors, each of which learns to choose one expert by a binary code (Hazimeh et al., NeurIPS 2021)."""

    k: Count = field(default=2, kw_only=True)
    """Number of selectors."""
    per_row: bool = field(default=True, kw_only=True)
    """Whether the choice depends on the input."""
    gamma: Positive = field(default=1.0, kw_only=True)
    """Width of the smooth step."""
    selector_entropy: Penalty = field(default=1e-3, kw_only=True)
    """Strength of the penalty on the selectors' entropy, which makes each selector choose one expert."""
    unused_codes: Penalty = field(default=1e-3, kw_only=True)
    """Strength of the penalty on codes without an expert, if the number of experts is not a power of two."""
    kind: Literal["dselect_k"] = field(default="dselect_k", kw_only=True, repr=False)


@declaration
class RegisteredGate:
    """Base of registered gates that are not subclasses of :class:`gatewise.nn.Gates`; has no options."""

    @property
    def features(self) -> tuple[str, ...]:
        """Empty: the gates read the whole input."""
        return ()


AnyGate = Annotated[
    Annotated[SoftmaxGate | AttentionGate | TopKGate | DSelectKGate, Field(discriminator="kind")],
    shorthand,
    OpenTo("gate"),
]

OneOrMoreGates = Annotated[
    Annotated[AnyGate, Tag("one")]
    | Annotated[Sequence[AnyGate], AfterValidator(tuple), Field(min_length=1), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, (list, tuple)) else "one"),
]
"""One kind of gate for all tasks, or a list with one kind per task."""
