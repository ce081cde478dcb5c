"""From a trained model to one with other features, tasks or experts, which predicts as before where it can."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import torch
from torch import Tensor

from gatewise import nn
from gatewise.assembly.parts import EXPERT, GATE, SHARED, Expert, Key, Part, Parts, gate_key
from gatewise.draws import Draws
from gatewise.errors import DeclarationError

FAR_BELOW = -25.0
"""Logit of experts that a gate must not weigh at first: their weight is about 1e-11."""


@torch.no_grad()
def carry_over(
    old: nn.MultiTaskModel, old_tasks: Sequence[str], new: nn.MultiTaskModel, tasks: Sequence[str], seed: int = 0
) -> None:
    r"""Write the weights of a trained model into a new one, and let what is new have no effect on earlier tasks.

    - New columns of the input have weights of zero in the layers that read them.
    - A new task has the tower of the new model, and gates that are the mean of the other tasks'.
    - A new expert i is a copy of an earlier one. In gate k the weight of the earlier one is dealt to its copies:

      .. math:: z_{k,i} = z_k + \log \alpha_{k,i}, \qquad \sum_i \alpha_{k,i} = 1

      with shares that differ by gate, so that the copies learn different things. It needs gates with a bias.
    - A unit's gate gives the experts of a new task a weight of about 1e-11.

    Args:
        old: the trained model.
        old_tasks: the names of its tasks.
        new: the new model, with untrained weights.
        tasks: the names of its tasks.
        seed: seed of the shares of copies.

    Raises:
        DeclarationError: the models differ in more than features, tasks and experts; names the part.

    References:
        Chen, Goodfellow, Shlens: Net2Net: Accelerating Learning via Knowledge Transfer. ICLR 2016 (copies that leave a
        model's function as it is).
    """
    source, target = Parts(old, old_tasks), Parts(new, tasks)
    if len(source.experts) != len(target.experts):
        raise DeclarationError(f"model: expected {len(source.experts)} levels as before, found {len(target.experts)}")
    origins = _origins(source, target)
    for key, part in target.items():
        found = list(_sources(key, source, target, origins))
        if found:
            _write(key, part, found)
    _deal(source, target, origins, seed)


Origins = list[dict[Expert, Expert]]
"""By level, the earlier expert that each expert of an earlier unit comes from."""


def _origins(source: Parts, target: Parts) -> Origins:
    found: Origins = []
    for level, experts in enumerate(target.experts):
        counts: dict[str, int] = {}
        for owner, _ in source.experts[level]:
            counts[owner] = counts.get(owner, 0) + 1
        there = {owner for owner, _ in experts}
        for owner, count in counts.items():
            left = sum(each == owner for each, _ in experts)
            if owner in there and left < count:
                of = "" if owner == SHARED else f" of {owner!r}"
                raise DeclarationError(f"model: expected {count} experts{of} or more, as before, found {left}")
        if SHARED in counts and SHARED not in there:
            raise DeclarationError("model: expected the shared experts as before, found none")
        found.append({(owner, i): (owner, i % counts[owner]) for owner, i in experts if owner in counts})
    return found


def _sources(key: Key, source: Parts, target: Parts, origins: Origins) -> Iterator[Part]:
    """Yield the part of the trained model that a part begins as, or those as whose mean it begins."""
    kind = key[0]
    if kind == EXPERT and len(key) > 3:
        _, level, owner, number, *name = key
        origin = origins[level].get((owner, number))
        key = (EXPERT, level, *origin, *name) if origin else key
    elif kind == GATE and len(key) > 4:
        _, level, unit, owner, number, *name = key
        expert = (unit if owner == "own" else owner, number)
        origin = origins[level].get(expert)
        number = origin[1] if origin else number
        key = (GATE, level, unit, owner, number, *name)
    if key in source:
        yield source[key]
    elif kind == GATE and len(key) > 3 and key[2] in target.tasks and key[2] not in source.tasks:
        others = [(*key[:2], task, *key[3:]) for task in source.tasks]
        yield from (source[other] for other in others if other in source)


def _write(key: Key, part: Part, sources: list[Part]) -> None:
    """Write the mean of earlier parts, whose columns may be others."""
    values = [_at_columns(key, part, source) for source in sources]
    mean = values[0] if len(values) == 1 else torch.stack(values).mean(dim=0)
    part.values.copy_(mean)


def _at_columns(key: Key, part: Part, source: Part) -> Tensor:
    if part.columns is None or source.columns is None or part.columns == source.columns:
        if part.values.shape != source.values.shape:
            name = ", ".join(map(str, key))
            shapes = f"expected shape {list(source.values.shape)} as before, found {list(part.values.shape)}"
            raise DeclarationError(f"model: {name}: {shapes}")
        return source.values
    places: dict[Hashable, int] = {column: place for place, column in enumerate(source.columns)}
    found = torch.zeros_like(part.values) if part.reads else part.values.clone()
    there = [place for place, column in enumerate(part.columns) if column in places]
    if found.shape[:-1] != source.values.shape[:-1]:
        raise DeclarationError(f"model: {', '.join(map(str, key))}: expected as many units as before")
    found[..., there] = source.values[..., [places[part.columns[place]] for place in there]]
    return found


def _deal(source: Parts, target: Parts, origins: Origins, seed: int) -> None:
    """Deal the weight of each earlier expert to its copies, and keep experts of new tasks out of earlier gates."""
    draws = Draws()
    draws.seed(seed)
    for level, experts in enumerate(target.experts):
        copies: dict[Expert, list[Expert]] = {}
        for expert, origin in origins[level].items():
            copies.setdefault(origin, []).append(expert)
        new = [expert for expert in experts if expert not in origins[level]]
        for unit in target.units[level]:
            for several in (each for each in copies.values() if len(each) > 1):
                with draws.as_global():
                    shares = torch.log_softmax(2 * torch.randn(len(several)), dim=0)
                for expert, share in zip(several, shares, strict=True):
                    _bias(target, gate_key(level, unit, expert), "a new expert").values.add_(share)
            if unit == SHARED and unit in source.units[level]:
                for expert in new:
                    key = gate_key(level, unit, expert)
                    _bias(target, key, "a new task of a PLE with several levels").values.fill_(FAR_BELOW)
                    target[*key, "weight"].values.zero_()


def _bias(target: Parts, key: Key, what: str) -> Part:
    if (*key, "bias") not in target:
        raise DeclarationError(f"model.gate: {what} needs gates with a bias: gate: {{kind: softmax, bias: true}}")
    return target[*key, "bias"]
