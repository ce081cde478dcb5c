"""Gates: how experts are weighed."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from gatewise.declare.base import declaration, shorthand


@declaration
class SoftmaxGate:
    """All experts count, as much as softmax(W x) says."""

    bias: bool = field(default=False, kw_only=True)
    """Whether the last layer has a bias."""
    kind: Literal["softmax"] = field(default="softmax", kw_only=True, repr=False)


AnyGate = Annotated[SoftmaxGate, shorthand]
