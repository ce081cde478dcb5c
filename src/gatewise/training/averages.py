"""Averages of weights: over the steps of a training, or over its last epochs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn import MultiTaskModel

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CHUNK = 2**18
"""Rows of a table that are averaged at once."""
State = dict[str, dict[str, Tensor]]
"""Tensors of a checkpoint by part and by the name of the parameter."""


class Averages:
    """Averages of a model's weights beside the weights themselves; this class averages nothing."""

    def __bool__(self) -> bool:
        return False

    def after_epoch(self) -> None:
        """Take the weights at the end of an epoch into account."""

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """Give the model the averages within a block, and its own weights back after it."""
        yield

    def state_dict(self) -> State:
        """Return the state for a checkpoint; tensors are not copied."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Restore a saved state.

        Raises:
            ValueError: the state is that of another average.
        """
        if state:
            raise ValueError(f"expected no averages, found {', '.join(state)}")


class MovingAverages(Averages):
    r"""Exponential moving averages over the steps of an optimiser.

    With the weights :math:`w_i` after step :math:`i`, and the decay :math:`d`, the average after step :math:`t` is

    .. math:: a_t = \frac{1 - d}{1 - d^t} \sum_{i=1}^{t} d^{t-i} w_i, \qquad
              a_t = a_{t-1} + \alpha_t (w_t - a_{t-1}), \quad \alpha_t = \frac{1 - d}{1 - d^t}

    as in `Adam <https://arxiv.org/abs/1412.6980>`_, section 7.2: the weights before the first step do not count, so
    that short trainings have an average, too. An embedding row that no step touched after step :math:`s` kept
    the value :math:`w`. The steps since then have a closed form, which is computed when the row is touched again:

    .. math:: a_t = w + d^{t-s} \frac{1 - d^s}{1 - d^t} (a_s - w)

    So a step costs as many rows as the optimiser moves. The statistics of batch norm are averaged like weights. A step
    that an optimiser leaves out, such as for an overflow in half precision, does not count.

    Args:
        model: the model.
        optimizer: holds its parameters, before the first step.
        decay: :math:`d`, above 0 and below 1; about the last ``1 / (1 - d)`` steps count.
    """

    def __init__(self, model: MultiTaskModel, optimizer: torch.optim.Optimizer, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self._weights = _averaged(model, optimizer)
        self._averages = {name: weight.detach().clone() for name, weight in self._weights.items()}
        tables = {id(weight) for weight in model.input_layer.tables.parameters()}
        # the step up to which the average of each row was computed
        self._computed = {
            name: torch.zeros(len(weight), dtype=torch.int32, device=weight.device)
            for name, weight in self._weights.items()
            if id(weight) in tables
        }
        optimizer.register_step_pre_hook(self._before_step)
        optimizer.register_step_post_hook(self._after_step)

    @override
    def __bool__(self) -> bool:
        return True

    @torch.no_grad()
    def _before_step(self, *_: Any) -> None:
        """Bring rows that the step will move to the present, while their earlier values are still there."""
        for name in self._computed:
            if (rows := _rows(self._weights[name])) is not None:
                self._catch_up(name, rows)

    @torch.no_grad()
    def _after_step(self, *_: Any) -> None:
        self.steps += 1
        share = (1 - self.decay) / -math.expm1(self.steps * math.log(self.decay))
        for name, weight in self._weights.items():
            average = self._averages[name]
            if name not in self._computed:
                average.lerp_(weight, share)
            elif (rows := _rows(weight)) is not None:
                average[rows] = torch.lerp(average[rows], weight[rows], share)
                self._computed[name][rows] = self.steps

    def _catch_up(self, name: str, rows: Tensor | slice) -> None:
        """Compute the averages of rows whose values have not changed since they were last computed."""
        weight, average, computed = self._weights[name][rows], self._averages[name], self._computed[name]
        at, rate = computed[rows].float(), math.log(self.decay)
        now = torch.full_like(at, self.steps)
        # at step 0 there is no average yet; a row that was not touched since is its own average
        left = torch.exp((now - at) * rate) * torch.expm1(at * rate) / torch.expm1(now.clamp(min=1) * rate)
        average[rows] = weight + left.unsqueeze(1) * (average[rows] - weight)
        computed[rows] = self.steps

    @contextmanager
    @override
    def in_model(self) -> Iterator[None]:
        with torch.no_grad():
            for name, computed in self._computed.items():
                for start in range(0, len(computed), CHUNK):
                    self._catch_up(name, slice(start, start + CHUNK))
        with _exchanged(self._weights, self._averages):
            yield

    @override
    def state_dict(self) -> State:
        return {"moving": self._averages, "computed": self._computed, "steps": {"steps": torch.tensor(self.steps)}}

    @override
    def load_state_dict(self, state: State) -> None:
        if state.keys() != self.state_dict().keys():
            raise ValueError("expected moving averages of the weights, found none")
        _copy(self._averages, state["moving"])
        _copy(self._computed, state["computed"])
        self.steps = int(state["steps"]["steps"])


class LastEpochs(Averages):
    r"""The mean of the weights at the end of the last ``count`` epochs, of fewer while there are fewer.

    With the weights :math:`w_e` at the end of epoch :math:`e`, it is after epoch :math:`e`

    .. math:: a_e = \frac{1}{k} \sum_{j=0}^{k-1} w_{e-j}, \qquad k = \min(\mathrm{count}, e)

    as in `LAWA <https://arxiv.org/abs/2209.14981>`_. Memory and checkpoint hold ``count`` copies of the weights.

    Args:
        model: the model.
        optimizer: holds its parameters.
        count: the largest number of epochs.
    """

    def __init__(self, model: MultiTaskModel, optimizer: torch.optim.Optimizer, count: int) -> None:
        self._weights = _averaged(model, optimizer)
        self._epochs: deque[dict[str, Tensor]] = deque(maxlen=count)

    @override
    def __bool__(self) -> bool:
        return True

    @override
    def after_epoch(self) -> None:
        self._epochs.append({name: weight.detach().clone() for name, weight in self._weights.items()})

    @contextmanager
    @override
    def in_model(self) -> Iterator[None]:
        with _exchanged(self._weights, {name: self._mean(name) for name in self._weights} if self._epochs else {}):
            yield

    @torch.no_grad()
    def _mean(self, name: str) -> Tensor:
        mean = self._epochs[0][name].clone()
        for number, epoch in enumerate(list(self._epochs)[1:], start=2):
            mean.lerp_(epoch[name], 1 / number)
        return mean

    @override
    def state_dict(self) -> State:
        return {f"epoch {place}": epoch for place, epoch in enumerate(self._epochs)}

    @override
    def load_state_dict(self, state: State) -> None:
        if any(not name.startswith("epoch ") for name in state):
            raise ValueError("expected the weights of the last epochs, found other averages")
        self._epochs.clear()
        for epoch in state.values():
            self.after_epoch()
            _copy(self._epochs[-1], epoch)


def _averaged(model: MultiTaskModel, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the parameters that an optimiser moves, and the statistics of batch norm, by name."""
    moved = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    found: dict[str, Tensor] = {name: weight for name, weight in model.named_parameters() if id(weight) in moved}
    for name, module in model.named_modules():
        if isinstance(module, _BATCH_NORMS):
            found |= {f"{name}.{each}": value for each, value in module.named_buffers() if value.is_floating_point()}
    return found


def _rows(weight: Tensor) -> Tensor | slice | None:
    """Return the rows that the current gradient moves; None: no row."""
    if weight.grad is None:
        return None
    return weight.grad._indices()[0] if weight.grad.is_sparse else slice(None)


@contextmanager
def _exchanged(weights: dict[str, Tensor], others: dict[str, Tensor]) -> Iterator[None]:
    """Let weights have the values of others within a block, without copying any."""
    own = {name: weights[name].data for name in others}
    try:
        for name, other in others.items():
            weights[name].data = other
        yield
    finally:
        for name, value in own.items():
            weights[name].data = value


@torch.no_grad()
def _copy(target: dict[str, Tensor], source: dict[str, Tensor]) -> None:
    if target.keys() != source.keys():
        raise ValueError(f"the averages are those of other parameters, such as {min(target.keys() ^ source.keys())}")
    for name, value in source.items():
        if value.shape != target[name].shape:
            raise ValueError(f"the average of {name} has another shape")
        target[name].copy_(value)
