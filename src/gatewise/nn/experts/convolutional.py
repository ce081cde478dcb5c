"""An expert that is a convolution over neighbouring numbers of the input."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.activations import activation_layer
from gatewise.nn.layers import check_sizes


class ConvolutionalExpert(nn.Module):
    r"""Filters that slide over the input, pooled to some places, then a linear map.

    .. math:: f(x) = O \, \mathrm{pool}(\phi(F * x))

    The filters find a pattern wherever it stands, so the expert suits inputs with an order, such as counts by hour.

    Args:
        input_dim: width of the input.
        output_dim: width of the output.
        channels: number of filters.
        kernel: width of a filter; odd, so that the output is as long as the input.
        places: number of outputs of the adaptive mean pooling.
        activation: activation after the convolution, with parameters of its own per filter and place if it has any.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, output_dim]``
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        *,
        channels: int = 16,
        kernel: int = 3,
        places: int = 4,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, output_dim=output_dim, channels=channels, kernel=kernel, places=places)
        self.layers = nn.Sequential(
            nn.Conv1d(1, channels, kernel, padding=kernel // 2),
            activation_layer(activation, channels, input_dim),
            nn.AdaptiveAvgPool1d(places),
            nn.Flatten(),
            nn.Linear(channels * places, output_dim),
        )
        self.output_dim = output_dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layers(x.unsqueeze(1))
        return output
