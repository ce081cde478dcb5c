"""Fields in the bodies of ``/rank`` and ``/predict``: declared once, for checking and for the description."""

from __future__ import annotations

from dataclasses import field, fields
from operator import itemgetter
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from gatewise.declare import Name, declaration, explain
from gatewise.errors import did_you_mean
from gatewise.http.errors import RequestError

T = TypeVar("T")

Flag = Annotated[bool, Field(strict=True)]
Weight = Annotated[float, Field(strict=True, ge=-1e30, le=1e30)]
Weights = Annotated[list[Weight], Field(max_length=1_000, fail_fast=True)]
Count = Annotated[int, Field(strict=True, gt=0)]

DESCRIBED = 5
"""Most mistakes that are described; further ones are counted."""


@declaration
class RankRequest:
    """One user, some candidates."""

    context: dict[str, Any] = field(default_factory=dict, kw_only=True)
    """Values that all candidates share, by column: of the user, of the time and place."""
    candidates: list[Any] = field(kw_only=True)
    """The candidates: objects with the values of their columns, or ids of the item table."""
    model: Name | None = field(default=None, kw_only=True)
    """Name of the model; not needed where there is a single one."""
    version: Name | None = field(default=None, kw_only=True)
    """Version of the model; by default the highest."""
    by: Name | None = field(default=None, kw_only=True)
    """The score to order by, highest first; by default the fused score or, without a fusion, the first prediction."""
    weights: Weights | None = field(default=None, kw_only=True)
    """Weights in place of the fusion's weights, in the same order."""
    top: Count | None = field(default=None, kw_only=True)
    """How many of the best candidates are returned; by default all."""
    gates: Flag = field(default=False, kw_only=True)
    """Whether to return the gates' weights, by task."""


@declaration
class PredictRequest:
    """Some rows."""

    rows: list[Any] = field(kw_only=True)
    """Objects with the values of all columns."""
    model: Name | None = field(default=None, kw_only=True)
    """Name of the model; not needed where there is a single one."""
    version: Name | None = field(default=None, kw_only=True)
    """Version of the model; by default the highest."""
    gates: Flag = field(default=False, kw_only=True)
    """Whether to return the gates' weights, by task."""


ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (RankRequest, PredictRequest)}
"""Made once, because making an adapter takes longer than a request."""


def parsed(body: bytes) -> Any:
    """Return the values of a JSON text.

    Raises:
        RequestError: with 400; the text is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"body: is no JSON: {error}", 400) from None


def checked(kind: type[T], values: Any) -> T:
    """Return values as a request of a kind.

    Raises:
        RequestError: a field is unknown, missing or of another type; names them.
    """
    if not isinstance(values, dict):
        raise RequestError(f"body: expected an object, found {kind_of(values)}")
    known = [option.name for option in fields(kind)]  # type: ignore[arg-type]
    unknown = [name for name in values if name not in known]
    if unknown:
        lines = [f"{name:.80}: unknown option{did_you_mean(name[:80], known)}" for name in unknown[:DESCRIBED]]
        raise RequestError(_listed(lines, len(unknown)))
    try:
        request: T = ADAPTERS[kind].validate_python(values)
    except ValidationError as error:
        lines = [line.removeprefix(f"{kind.__name__}.") for line in explain(error, kind)]
        raise RequestError(_listed(lines[:DESCRIBED], len(lines))) from None
    return request


def _listed(lines: list[str], count: int) -> str:
    return "; ".join([*lines, *([f"and {count - len(lines):,} more"] if count > len(lines) else [])])


def kind_of(value: Any) -> str:
    """Return JSON's name for the type of a value."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def columns_of(rows: list[Any], where: str) -> dict[str, list[Any]]:
    """Return the columns of rows that all have the same fields.

    Raises:
        RequestError: a row is not an object, or has other fields than the first; names it.
    """
    names = [*rows[0]] if isinstance(rows[0], dict) else []
    if set(map(type, rows)) != {dict} or set(map(len, rows)) != {len(names)}:
        raise _unlike(rows, where)
    try:
        if len(names) < 2:
            # itemgetter of a single field does not return a tuple
            return {name: [row[name] for row in rows] for name in names}
        return dict(zip(names, map(list, zip(*map(itemgetter(*names), rows), strict=True)), strict=True))
    except KeyError:
        raise _unlike(rows, where) from None


def _unlike(rows: list[Any], where: str) -> RequestError:
    """Return the error that names the row that is not an object, or has other fields than the first."""
    names = rows[0].keys() if isinstance(rows[0], dict) else set[str]()
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            return RequestError(f"{where}[{place}]: expected an object, found {kind_of(row)}")
        if row.keys() != names:
            other = min(row.keys() ^ names)
            found = f"has no {other!r:.80}" if other in names else f"has {other!r:.80}"
            return RequestError(f"{where}[{place}]: {found}, unlike {where}[0]: give null where a value is missing")
    raise AssertionError(rows)


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of a kind of request."""
    return ADAPTERS[kind].json_schema()
