"""From a trained model to one with other features, tasks or experts, which predicts as before where it can."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import torch
from torch import Tensor

from gatewise import nn
from gatewise.assembly.parts import Expert, Key, Part, Parts
from gatewise.assembly.trunk_parts import EXPERT, GATE, NATIVE, SHARED, gate_key
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
    - Copies share an earlier expert's weight in the residual of an AdaTT in the same way.
    - An earlier gate that reaches the experts of a new task or group gives them a weight of about 1e-11.

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
    common = set(old_tasks) & set(tasks)
    source, target = Parts(old, old_tasks, common), Parts(new, tasks, common)
    if len(source.experts) != len(target.experts):
        raise DeclarationError(f"model: expected {len(source.experts)} levels as before, found {len(target.experts)}")
    for option, expected in source.fixed.items():
        if target.fixed[option] != expected:
            found = target.fixed[option]
            raise DeclarationError(f"model.{option}: expected {expected!r}, as the model was trained, found {found!r}")
    origins = _origins(source, target)
    for key, part in target.items():
        found = list(_sources(key, source, origins))
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


def _sources(key: Key, source: Parts, origins: Origins) -> Iterator[Part]:
    """Yield the part of the trained model that a part begins as, or those as whose mean it begins."""
    kind = key[0]
    if kind in (EXPERT, NATIVE) and len(key) > 3:
        _, level, owner, number, *name = key
        origin = origins[level].get((owner, number))
        key = (kind, level, *origin, *name) if origin else key
    elif kind == GATE and len(key) > 4:
        _, level, unit, owner, number, *name = key
        origin = origins[level].get((unit if owner == "own" else owner, number))
        number = origin[1] if origin else number
        key = (GATE, level, unit, owner, number, *name)
    if key in source:
        yield source[key]
    elif kind == GATE and len(key) > 3 and key[2] not in source.units[key[1]]:
        yield from _of_others(key, source)


def _of_others(key: Key, source: Parts) -> Iterator[Part]:
    """Yield the parts of the earlier units' gates, of those that weigh the expert if the part is for one."""
    _, level, _, *rest = key
    for unit in source.units[level]:
        other = (GATE, level, unit, *rest)
        if unit == SHARED or other not in source:
            continue
        if len(rest) < 2 or source.reaches(level, unit, (unit if rest[0] == "own" else rest[0], rest[1])):
            yield source[other]


def _write(key: Key, part: Part, sources: list[Part]) -> None:
    """Write the mean of earlier parts, whose columns may be others."""
    if part.made and not all(source.made for source in sources):
        raise DeclarationError(
            f"model: {key[0]}: no layer is between the facet and experts as wide: keep a feature more"
        )
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
        several = [each for each in copies.values() if len(each) > 1]
        for unit in target.units[level]:
            for alike in several:
                for expert, share in zip(alike, _shares(len(alike), draws), strict=True):
                    _bias(target, gate_key(level, unit, expert), "a new expert").values.add_(share)
            for expert in new if unit in source.units[level] else ():
                if target.reaches(level, unit, expert):
                    key = gate_key(level, unit, expert)
                    _bias(target, key, "a new task with experts that other gates weigh").values.fill_(FAR_BELOW)
                    target[*key, "weight"].values.zero_()
        for alike in several:
            if (NATIVE, level, *alike[0]) in target:
                for expert, share in zip(alike, _shares(len(alike), draws), strict=True):
                    target[NATIVE, level, *expert].values.mul_(share.exp())


def _shares(count: int, draws: Draws) -> Tensor:
    """Draw the logarithms of shares that sum to 1."""
    with draws.as_global():
        return torch.log_softmax(2 * torch.randn(count), dim=0)


def _bias(target: Parts, key: Key, what: str) -> Part:
    if (*key, "bias") not in target:
        raise DeclarationError(f"model.gate: {what} needs gates with a bias: gate: {{kind: softmax, bias: true}}")
    return target[*key, "bias"]
