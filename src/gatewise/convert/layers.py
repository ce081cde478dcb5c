"""Perceptrons of other libraries, layer by layer, and their copies in grouped ones of Gatewise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor, nn

from gatewise.convert.source import Source
from gatewise.errors import DeclarationError
from gatewise.nn import GroupLinear, GroupMLP
from gatewise.nn.activations import PReLU
from gatewise.nn.layers import GroupNorm

EPS = 1e-5
"""Of the batch normalisations of torch, which the other libraries take too."""


@dataclass(frozen=True)
class Linear:
    """A linear map: ``weight`` of ``[out, in]``, ``bias`` of ``[out]`` or None."""

    weight: Tensor
    bias: Tensor | None = None

    def reading(self, order: Tensor) -> Linear:
        """Return the map of an input whose columns are ``order`` of the old columns.

        Raises:
            DeclarationError: there are more or fewer columns than the map has.
        """
        if len(order) != self.weight.shape[1]:
            found = f"the weights read {self.weight.shape[1]} columns, the features have {len(order)}"
            raise DeclarationError(f"features: {found}")
        return replace(self, weight=self.weight[:, order])


@dataclass(frozen=True)
class Norm:
    """A batch normalisation, all of ``[width]``."""

    weight: Tensor
    bias: Tensor
    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class Hidden:
    """A hidden layer: a linear map, perhaps normalised, and an activation, perhaps with a learnt slope."""

    linear: Linear
    norm: Norm | None = None
    slope: Tensor | None = None

    @property
    def folded(self) -> Linear:
        """The linear map that equals map and normalisation of a trained model."""
        if self.norm is None:
            return self.linear
        scale = self.norm.weight / (self.norm.variance + EPS).sqrt()
        old = 0.0 if self.linear.bias is None else self.linear.bias
        return Linear(self.linear.weight * scale.unsqueeze(1), (old - self.norm.mean) * scale + self.norm.bias)


@dataclass(frozen=True)
class Perceptron:
    """Hidden layers, and an output layer or None."""

    hidden: tuple[Hidden, ...]
    output: Linear | None = None

    @cached_property
    def dims(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return tuple(len(layer.linear.weight) for layer in self.hidden)

    @property
    def normed(self) -> bool:
        """Whether the hidden layers are normalised."""
        return any(layer.norm is not None for layer in self.hidden)

    def reading(self, order: Tensor) -> Perceptron:
        """Return the perceptron of an input whose columns are ``order`` of the old columns."""
        if not self.hidden:
            return replace(self, output=None if self.output is None else self.output.reading(order))
        first = replace(self.hidden[0], linear=self.hidden[0].linear.reading(order))
        return replace(self, hidden=(first, *self.hidden[1:]))


ReadPerceptron = Callable[[Source, str], Perceptron]


def fill_linear(target: GroupLinear, group: int, found: Linear) -> None:
    """Copy a linear map into one group."""
    target.weight[group] = found.weight
    if target.bias is not None:
        target.bias[group] = 0.0 if found.bias is None else found.bias


def fill(target: GroupMLP, perceptrons: Sequence[Perceptron]) -> None:
    """Copy the hidden layers of perceptrons into the groups of a grouped one."""
    for group, found in enumerate(perceptrons):
        layers = iter(found.hidden)
        for module in target.layers:
            if isinstance(module, GroupLinear):
                hidden = next(layers)
                fill_linear(module, group, hidden.linear)
            elif isinstance(module, GroupNorm):
                _fill_norm(module.batch, group, hidden.norm)
            elif isinstance(module, PReLU):
                module.slope[group] = 0.0 if hidden.slope is None else hidden.slope


def _fill_norm(target: nn.BatchNorm1d | None, group: int, found: Norm | None) -> None:
    assert target is not None
    assert found is not None
    assert target.running_mean is not None
    assert target.running_var is not None
    own = slice(group * len(found.mean), (group + 1) * len(found.mean))
    target.weight[own], target.bias[own] = found.weight, found.bias
    target.running_mean[own], target.running_var[own] = found.mean, found.variance
