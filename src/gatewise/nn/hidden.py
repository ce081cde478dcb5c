"""What happens in hidden layers, as one value that trunks, experts, gates and towers take."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from gatewise.errors import ShapeError
from gatewise.nn.activations import activation_layer, check_activation
from gatewise.nn.layers import Dropout, GroupNorm, check_norm


@dataclass(frozen=True)
class Hidden:
    """Normalisation, activation and dropout after the linear map of each hidden layer.

    Args:
        activation: ``relu``, ``gelu``, ``silu``, ``tanh``, ``leaky_relu``, ``sigmoid``, ``prelu`` or ``dice``.
        dropout: share of units dropped in training, after every activation.
        norm: ``none``, ``batch`` or ``layer``, before every activation.

    Raises:
        ShapeError: an unknown name, or a dropout outside [0, 1); the error names the option.

    Example:
        >>> Hidden("dice", dropout=0.1)
        Hidden(activation='dice', dropout=0.1, norm='none')
    """

    activation: str = "relu"
    dropout: float = 0.0
    norm: str = "none"

    def __post_init__(self) -> None:
        check_activation(self.activation)
        check_norm(self.norm)
        if not 0 <= self.dropout < 1:
            raise ShapeError(f"dropout: expected a share from 0 to below 1, found {self.dropout}")

    @property
    def without_dropout(self) -> Hidden:
        """The same layers with a dropout of 0."""
        return replace(self, dropout=0.0)

    def layers(self, groups: int, width: int) -> list[nn.Module]:
        """Return new modules for what follows a linear map to ``[batch, group, width]``."""
        made: list[nn.Module] = []
        if self.norm != "none":
            made.append(GroupNorm(self.norm, groups, width))
        made.append(activation_layer(self.activation, groups, width))
        if self.dropout:
            made.append(Dropout(self.dropout))
        return made
