"""Validation of an encoder's saved state before it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

import pyarrow as pa
from pydantic import AfterValidator, ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from gatewise.errors import ArtefactError

if TYPE_CHECKING:
    from gatewise.data.columns.column import FeatureColumn

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _rising(values: list[float]) -> list[float]:
    if any(later < earlier for earlier, later in pairwise(values)):
        raise ValueError("the values fall")
    return values


def _distinct(values: list[Any]) -> list[Any]:
    there = [value for value in values if value is not None]
    if len(set(there)) != len(there):
        raise ValueError("a value stands there twice")
    return values


Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Rising = Annotated[list[float], AfterValidator(_rising)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class LearntState(TypedDict):
    """The saved state of a learnt vocabulary; an Arrow array of learnt values was checked as it was read."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    values: Literal["integer", "string"] | None
    learnt: InstanceOf[pa.Array] | Annotated[list[Int64 | None] | list[str | None], AfterValidator(_distinct)]
    usual_count: NotRequired[Positive]
    unlisted: NotRequired[Share]
    free: NotRequired[Annotated[int, Field(gt=0)]]


class HashedState(TypedDict):
    """The saved state of a hashed vocabulary; rows of a table are counted with 32 bits."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    values: Literal["integer", "string"] | None
    buckets: Annotated[int, Field(gt=0, lt=2**31 - 2)]


VocabularyState = LearntState | HashedState


class EncoderState(TypedDict):
    """The saved state of an encoder."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    vocabularies: dict[str, VocabularyState]
    features: dict[str, dict[str, Any]]
    labels: dict[str, dict[str, Any]]
    nulls: NotRequired[dict[str, Share]]
    shares: NotRequired[dict[str, dict[str, Any]]]


KINDS = ("classes", "levels")
"""Statistics that list the distinct values of a label."""


def check_state(columns: Mapping[str, FeatureColumn[Any, Any]], state: Any) -> None:
    """Refuse a state that does not belong to an encoder with these columns.

    Raises:
        ArtefactError: names the place, the expected and the found value.
    """
    _check(EncoderState, state)
    for name, column in columns.items():
        if column.state_type is not None and column.section == "features":
            if name not in state["features"]:
                raise _misfit(f"no feature {name!r}")
            _check(column.state_type, state["features"][name], "features", name)
    for task, learnt in state["labels"].items():
        _check_statistics(learnt, f"labels.{task}")


def _check(kind: Any, value: Any, *where: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        path = ".".join([*where, *map(str, first["loc"])]) or "all of it"
        raise _misfit(f"{path}: {first['msg'].lower()}") from None


def _misfit(reason: str) -> ArtefactError:
    return ArtefactError(f"encoder: its saved state does not fit the schema ({reason})")


def _check_statistics(learnt: Mapping[str, Any], where: str) -> None:
    """Refuse statistics of labels that are not numbers, strings or lists of these, or that are impossible."""
    for name, value in learnt.items():
        parts = value if isinstance(value, list) else [value]
        plain = all(isinstance(part, (int, float, str)) for part in parts)
        numbers = [part for part in parts if isinstance(part, (int, float))]
        wrong = not plain or not all(math.isfinite(number) and abs(number) < 2**63 for number in numbers)
        wrong = wrong or (name == "std" and not (numbers and numbers[0] > 0))
        if wrong or (name in KINDS and len(set(parts)) != len(parts)):
            raise _misfit(f"{where}.{name}: found {str(value)[:60]}")
