"""Where ``gatewise tune`` looks for options: the default ranges, and those that a recipe gives by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, PlainSerializer

from gatewise.declare.base import Name, to_dict
from gatewise.declare.by_name import ByName
from gatewise.errors import DeclarationError, did_you_mean

if TYPE_CHECKING:
    from gatewise.declare.recipe import Recipe

SCALES = ("log", "even")
EVERY = "*"
"""Stands for every feature that has the option, as in ``features.*.dim``."""


class Between(NamedTuple):
    """A number from low to high; ``log``: searched by ratio. Whole if both ends are."""

    low: float
    high: float
    log: bool

    @property
    def whole(self) -> bool:
        """Whether the option is a whole number."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class OneOf(NamedTuple):
    """One of some values, of any type."""

    values: tuple[Any, ...]


Range = Between | OneOf

DEFAULTS: Mapping[str, Sequence[Any]] = {
    "training.lr": [3e-4, 1e-2, "log"],
    "training.batch_size": [128, 256, 512, 1024, 2048],
    "training.weight_decay": [0.0, 1e-4, 1e-3, 1e-2],
    "balance": ["static", "uncertainty", "dwa", "geometric_mean"],
    "features.*.dim": [4, 8, 16, 32],
    "model.experts": [2, 4, 8],
    "model.own_experts": [1, 2],
    "model.shared_experts": [1, 2, 4],
    "model.expert_dims": [[32], [64], [64, 32], [128, 64]],
    "model.bottom_dims": [[64], [128], [128, 64]],
    "model.tower_dims": [[], [16], [32], [64, 32]],
    "model.dropout": [0.0, 0.5, "even"],
    "model.id_dropout": [0.0, 5.0, 20.0, 50.0],
    "model.members": [1, 4, 8],
    "model.l2_embedding": [0.0, 1e-4, 1e-2, 1.0, 10.0],
}
"""The ranges of options, by path; a recipe is searched in those that it has. A test holds ``docs/tune.md`` to them."""


def _are_ranges(ranges: Mapping[str, Any]) -> ByName[Any]:
    for path, given in ranges.items():
        _range_of(path, given)
    return ByName({path: _frozen(given) for path, given in ranges.items()})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    return list(map(_plain, value)) if isinstance(value, (list, tuple)) else value


def _plain_ranges(ranges: ByName[Any]) -> dict[str, Any]:
    return {path: _plain(given) for path, given in ranges.items()}


Ranges = Annotated[
    Mapping[Name, Sequence[Any]], AfterValidator(_are_ranges), PlainSerializer(_plain_ranges, return_type=dict)
]
"""By path of an option a list of values, or ``[low, high, log]`` or ``[low, high, even]``; empty: not searched."""


def _range_of(path: str, given: Sequence[Any]) -> Range | None:
    """Return the range that a list says; None for an empty one: not searched.

    Raises:
        ValueError: the list is no range.
    """
    if not given:
        return None
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) < 2:
        raise ValueError(f"{path}: expected two values or more, or [low, high, log], found {given!r}")
    if given[-1] not in SCALES:
        return OneOf(tuple(map(_plain, given)))
    found = [_number(value) for value in given[:-1]]
    if len(found) != 2 or None in found:
        raise ValueError(f"{path}: expected [low, high, {given[-1]}] with two numbers, found {list(given)!r}")
    low, high = found
    log = given[-1] == "log"
    if low is None or high is None or not low < high or (log and low <= 0):
        above = ", above 0 for log" if log else ""
        raise ValueError(f"{path}: expected low below high{above}, found {list(given)!r}")
    return Between(low, high, log)


def _number(value: Any) -> float | None:
    """Return a number; YAML reads 1e-4 as a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def search_space(recipe: Recipe) -> dict[str, Range]:
    """Return the range of every option that is searched: the defaults that a recipe has, and its own under ``tune``.

    Raises:
        DeclarationError: the recipe has no such option; names the path and the nearest one.
    """
    known = list(_paths(recipe))
    given: dict[str, Sequence[Any]] = {path: each for path, each in DEFAULTS.items() if path in known}
    for path in [path for path in given if not _is_plain(recipe, path)]:
        del given[path]
    for path, each in (recipe.tune or {}).items():
        if path not in known:
            raise DeclarationError(f"tune: no option {path!r}{did_you_mean(path, known)}")
        if path.startswith("features.") and path != "features.*.dim" and path.endswith(".dim"):
            given.pop("features.*.dim", None)
        given[path] = each
    ranges = {path: _range_of(path, each) for path, each in given.items()}
    for path, default in ranges.items():
        # a default range lacks what suits this recipe alone
        if (
            path not in (recipe.tune or {})
            and isinstance(default, OneOf)
            and (now := declared_at(recipe, path)) is not None
        ):
            ranges[path] = default if now in default.values else OneOf((*default.values, now))
    found = {path: each for path, each in ranges.items() if each is not None}
    if not found:
        raise DeclarationError("tune: expected an option to search, found none")
    return found


def declared_at(recipe: Recipe, path: str) -> Any:
    """Return what a recipe declares at a path of :func:`search_space`, as a plain value; None: not one plain value."""
    part, _, option = path.partition(".")
    if part == "features":
        name, _, option = option.partition(".")
        chosen = [each for each in recipe.features if name == each.name or (name == EVERY and _has(each, option))]
        found = [_plain(getattr(each, option)) for each in chosen]
        return found[0] if found and found.count(found[0]) == len(found) else None
    if not option:
        plain = to_dict(getattr(recipe, part), defaults=False)
        return None if plain else getattr(recipe, part).kind
    value = _plain(getattr(getattr(recipe, part), option))
    return value if isinstance(value, (bool, int, float, str, list)) else None


def _is_plain(recipe: Recipe, path: str) -> bool:
    """Whether an option of a recipe is what a default range may replace: no list of experts, no widths by task."""
    part, _, option = path.partition(".")
    if part == "features":
        return any(map(_has_width, recipe.features))
    if part != "model":
        return True
    value = getattr(recipe.model, option)
    if option == "members":
        # each costs a pass through the model: several only where somebody wants several
        return value != 1
    # experts that are declared one by one, and numbers by task
    is_list = option in ("experts", "own_experts") and not isinstance(value, int)
    return not is_list and not isinstance(value, Mapping)


def _paths(recipe: Recipe) -> Iterator[str]:
    """Yield the paths of all options that may be searched."""
    yield "balance"
    for part in ("training", "model", "balance"):
        yield from (f"{part}.{option.name}" for option in fields(getattr(recipe, part)) if option.name != "kind")
    yield "model"
    for feature in recipe.features:
        options = [option.name for option in fields(feature) if option.name not in ("kind", "name")]
        yield from (f"features.{feature.name}.{option}" for option in options)
    yield from dict.fromkeys(
        f"features.{EVERY}.{option.name}"
        for feature in recipe.features
        for option in fields(feature)
        if option.name not in ("kind", "name")
    )


def with_option(recipe: Recipe, values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the values of a recipe's file with one option changed.

    Args:
        recipe: what the values declare.
        values: the mapping in the file, which stays as it is.
        path: a path of :func:`search_space`.
        value: the new value.
    """
    part, _, option = path.partition(".")
    if not option:
        return {**values, part: value}
    if part == "features":
        name, _, option = option.partition(".")
        changed = [
            {**each, option: value} if name == feature.name or (name == EVERY and _has(feature, option)) else each
            for each, feature in zip(values["features"], recipe.features, strict=True)
        ]
        return {**values, part: changed}
    declared = values.get(part)
    if declared is None and part == "model":
        declared = to_dict(recipe.model)
    elif declared is None or isinstance(declared, str):
        declared = {} if part == "training" else {"kind": getattr(recipe, part).kind}
    return {**values, part: {**declared, option: value}}


def _has(feature: Any, option: str) -> bool:
    """Whether a feature has an option, and reads it."""
    return option in {each.name for each in fields(feature)} and (option != "dim" or _has_width(feature))


def _has_width(feature: Any) -> bool:
    """Whether a feature's ``dim`` is the width of an embedding table of its own."""
    if getattr(feature, "shares", None) is not None or getattr(feature, "pretrained", None) is not None:
        return False
    return getattr(feature, "transform", "bucket") == "bucket" and hasattr(feature, "dim")
