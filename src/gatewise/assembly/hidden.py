"""From the declared options of a part to its hidden layers."""

from __future__ import annotations

from typing import Any

from gatewise import declare, nn


def hidden_layers(architecture: declare.Architecture, part: str = "") -> nn.Hidden:
    """Return the hidden layers of a part of the model.

    Args:
        architecture: the declared options.
        part: ``expert``, ``gate`` or ``tower``: its own options count before those of all parts; empty: no part.
    """

    def option(name: str) -> Any:
        own = getattr(architecture, f"{part}_{name}", None)
        return getattr(architecture, name) if own is None else own

    return nn.Hidden(option("activation"), option("dropout"), architecture.norm)
