"""What a training leaves behind beside the weights, as named tensors: state of optimiser and rule, counts of values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gatewise.errors import ArtefactError
from gatewise.nn import EmbeddingTables, MultiTaskModel, ShardedTables
from gatewise.nn.mapped import empty_on_disk
from gatewise.training.optimizers import LazyOptimizer

Kept = dict[str, Tensor]
"""Tensors by name: ``optimizer:PARAMETER:STATE``, ``balance:NAME`` and ``rows of:TABLE``."""
OPTIMIZER, BALANCE, ROWS_OF = "optimizer:", "balance:", "rows of:"
TABLES = "input_layer.tables.weights."
"""What the names of embedding matrices begin with."""
STEP = "step"


def kept_state(model: nn.Module, balance: nn.Module, optimizer: torch.optim.Optimizer, *, with_optimizer: bool) -> Kept:
    """Return the state of a balancing rule and, with ``with_optimizer``, of an optimiser; tensors are not copied.

    With ``id_dropout``, how many rows each value has is kept, too.
    """
    kept: Kept = {BALANCE + name: value.detach() for name, value in balance.state_dict().items()}
    if isinstance(model, MultiTaskModel) and (dropout := model.input_layer.id_dropout) is not None:
        kept |= {ROWS_OF + name: count for name, count in dropout.counts.items()}
    if with_optimizer:
        for parameter, name in _names(model, balance).items():
            state = _flat(optimizer.state.get(parameter, {}))
            kept |= {f"{OPTIMIZER}{name}:{what}": torch.as_tensor(value).detach() for what, value in state.items()}
    return kept


def counted_before(kept: Kept) -> dict[str, Tensor]:
    """Return how many rows each value had in earlier trainings, by the table's name."""
    return {name.removeprefix(ROWS_OF): value for name, value in kept.items() if name.startswith(ROWS_OF)}


@torch.no_grad()
def restore_kept(
    kept: Mapping[str, Tensor], model: nn.Module, balance: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Give a new balancing rule and a new optimiser the state of earlier ones, as far as it was kept.

    Raises:
        ArtefactError: the state is that of another model, rule or optimiser; names the first part that does not fit.
    """
    own = balance.state_dict()
    given = {name.removeprefix(BALANCE): value for name, value in kept.items() if name.startswith(BALANCE)}
    if given:
        _check_alike(BALANCE, {name: value.shape for name, value in own.items()}, given)
        balance.load_state_dict(given)
    if not any(name.startswith(OPTIMIZER) for name in kept):
        return
    names, left = _names(model, balance), {name for name in kept if name.startswith(OPTIMIZER)}
    for group, rule in zip(optimizer.param_groups, _rules(optimizer), strict=True):
        for parameter in group["params"]:
            prefix = f"{OPTIMIZER}{names[parameter]}:"
            state = {name.removeprefix(prefix): kept[name] for name in left if name.startswith(prefix)}
            left -= {prefix + name for name in state}
            if state:
                found = _restored(prefix, parameter, state, rule)
                if rule is None and STEP in found and not group.get("fused"):
                    # torch counts the steps of plain loops on the CPU
                    found[STEP] = found[STEP].cpu()
                optimizer.state[parameter] = found
    if left:
        raise ArtefactError(f"state of the training: {min(left)} belongs to no parameter of this model")


def grown_state(
    kept: Kept, before: MultiTaskModel, after: MultiTaskModel, reset: Mapping[str, Tensor] | None = None
) -> Kept:
    """Return the state of a model for one whose embedding tables have more rows; new rows begin without state.

    Args:
        kept: the state.
        before: the model that it belongs to.
        after: the model with more rows.
        reset: rows of embedding tables that begin without state, too, by the table's name.
    """
    old, new = before.input_layer.tables, after.input_layer.tables
    found = dict(kept)
    for name, value in kept.items():
        if name.startswith(OPTIMIZER + TABLES) and value.ndim:
            matrix = name.removeprefix(OPTIMIZER + TABLES).partition(":")[0]
            found[name] = new.at_rows_of(old, matrix, value)
            for place, field in enumerate(new.fields):
                if field.matrix == matrix and reset and field.name in reset:
                    found[name][new.offsets[place] + reset[field.name].to(value.device)] = 0
    for field in new.fields:
        if (count := found.get(ROWS_OF + field.name)) is not None:
            # a value that was just admitted has been in no training row
            longer = torch.nn.functional.pad(count, (0, field.rows - len(count)))
            if reset and field.name in reset:
                longer[reset[field.name].to(count.device)] = 0
            found[ROWS_OF + field.name] = longer
    return found


def own_state(kept: Kept, tables: EmbeddingTables) -> Kept:
    """Return the state of a model for a process, which may have a part of its tables."""
    if not isinstance(tables, ShardedTables):
        return kept
    return {name: value[tables.own] if _matrix(name, value, tables) else value for name, value in kept.items()}


def whole_state(kept: Kept, tables: ShardedTables, folder: Path | None = None) -> Kept:
    """Return the state of the whole model in rank 0, where tables are shared; all processes call this.

    Args:
        kept: this process's part.
        tables: those of the model.
        folder: where rank 0 may keep large tensors; None: in memory.
    """
    found = dict(kept)
    for name, value in kept.items():
        if matrix := _matrix(name, value, tables):
            rows = tables.total_rows(matrix) if tables.first else 0
            found[name] = empty_on_disk((rows, *value.shape[1:]), value.dtype, folder)
            tables.gather(matrix, value, found[name] if tables.first else None)
    return found


def of_shards(name: str, value: Tensor, names: Collection[str]) -> bool:
    """Return whether a process has a part of the rows of a state, of those parameters whose names are given."""
    return value.ndim > 0 and name.startswith(OPTIMIZER) and name.removeprefix(OPTIMIZER).rpartition(":")[0] in names


def _matrix(name: str, value: Tensor, tables: ShardedTables) -> str:
    """Return the matrix that a state has values per row of; "": none that processes share."""
    matrix = name.removeprefix(OPTIMIZER + TABLES).partition(":")[0]
    return matrix if of_shards(name, value, [TABLES + each for each in tables.shared]) else ""


def _restored(prefix: str, parameter: nn.Parameter, state: Kept, rule: Any) -> dict[str, Any]:
    """Return an optimiser's state of one parameter, with the given values in memory of its own."""
    step = state.pop(STEP, None)
    if step is not None and (step.numel() != 1 or not 1 <= float(step) < 2**53):
        raise ArtefactError(f"state of the training: {prefix}{STEP}: expected a number of steps")
    if rule is None:
        _check_alike(prefix, dict.fromkeys(state, parameter.shape), state)
        fresh = {name: torch.empty_like(parameter).copy_(value) for name, value in state.items()}
        return fresh if step is None else {STEP: step.to(parameter.device, torch.float32, copy=True), **fresh}
    if step is None:
        raise ArtefactError(f"state of the training: {prefix}{STEP} is absent")
    fresh = rule.state(parameter.detach())
    _check_alike(prefix, {name: value.shape for name, value in fresh.items()}, state)
    for name, value in state.items():
        fresh[name].copy_(value)
    return {STEP: int(step), "rule": fresh}


def _check_alike(prefix: str, expected: Mapping[str, torch.Size], found: Mapping[str, Tensor]) -> None:
    for name in sorted(expected.keys() | found.keys()):
        wanted, given = expected.get(name), found.get(name)
        if wanted is None or given is None or wanted != given.shape:
            shown = [
                "absent" if shape is None else f"of shape {tuple(shape)}"
                for shape in (wanted, given if given is None else given.shape)
            ]
            raise ArtefactError(f"state of the training: expected {prefix}{name} to be {shown[0]}, found {shown[1]}")
        if prefix != BALANCE and not bool(given.isfinite().all()):
            raise ArtefactError(f"state of the training: {prefix}{name} holds a value that is not finite")


def _names(model: nn.Module, balance: nn.Module) -> dict[nn.Parameter, str]:
    """Return the name of every parameter of model and balancing rule."""
    of_model = {parameter: name for name, parameter in model.named_parameters()}
    return of_model | {parameter: BALANCE + name for name, parameter in balance.named_parameters()}


def _rules(optimizer: torch.optim.Optimizer) -> list[Any]:
    """Return the rule of each group of parameters; None for torch's own optimisers."""
    return optimizer.rules if isinstance(optimizer, LazyOptimizer) else [None] * len(optimizer.param_groups)


def _flat(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's state without nesting."""
    return dict(_items(state))


def _items(state: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in state.items():
        if isinstance(value, dict):
            yield from value.items()
        elif value is not None:
            yield name, value
