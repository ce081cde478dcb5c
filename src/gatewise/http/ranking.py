"""``POST /rank``: one user and some candidates in, the candidates in order out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.metrics import Laps
from gatewise.http.model import ServedModel
from gatewise.http.requests import RankRequest, columns_of, kind_of


@dataclass(frozen=True)
class Candidates:
    """What is to be ordered.

    Attributes:
        columns: the values that they bring themselves.
        ids: what they are called in the item table; None: they are not to be looked up.
    """

    columns: dict[str, list[Any]]
    ids: list[Any] | None = None


async def rank(model: ServedModel, asked: RankRequest, limits: Limits, laps: Laps) -> dict[str, Any]:
    """Return the answer to a request.

    A value is looked for in the candidate, then in the context, then in the item table.

    Raises:
        RequestError: a field cannot be what it is; names it.
        TableError: a column holds what its declaration excludes; names the feature.
    """
    rows = len(asked.candidates)
    if not 0 < rows <= limits.candidates:
        raise RequestError(
            f"candidates: expected 1 to {limits.candidates:,}, found {rows:,}", 422 if rows == 0 else 413
        )
    # what need not be computed to be refused
    order, fusion = model.order_of(asked.by), model.fused_by(asked.weights)
    if asked.gates:
        model.check_gated()
    candidates = _candidates(model, asked.candidates)
    inputs = model.columns.side_by_side(_matrices(model, asked.context, candidates), rows)
    laps.end("encode")
    outputs = await model.batcher.run(inputs, rows)
    laps.end("infer")
    scores = model.score(outputs, fusion)
    best = np.argsort(-scores[order], kind="stable")[: asked.top]
    answer: dict[str, Any] = {"model": model.name, "version": model.version, "order": order}
    if fusion is not None:
        answer["fusion"] = str(fusion)
    answer["candidates"] = _listed(best, scores, candidates.ids)
    if asked.gates:
        for found, of_row in zip(answer["candidates"], model.gates(outputs)[best].tolist(), strict=True):
            found["gates"] = dict(zip(model.tasks, of_row, strict=True))
    laps.end("sort")
    return answer


def _candidates(model: ServedModel, given: list[Any]) -> Candidates:
    """Tell ids from values, and find the ids of those that bring only some of their values."""
    kinds = set(map(type, given))
    if not kinds <= {int, str}:
        columns = columns_of(given, "candidates")
        if model.items is None or model.items.key not in columns:
            return Candidates(columns)
        ids = columns[model.items.key]
        if not set(map(type, ids)) <= {int, str}:
            raise RequestError(f"candidates: {model.items.key} is to be an integer or a string in all of them")
        if model.items.key not in model.columns.names:
            del columns[model.items.key]
        return Candidates(columns, ids)
    if model.items is None:
        what = kind_of(given[0])
        raise RequestError(f"candidates[0]: expected an object, found {what}: there is no item table to look it up in")
    return Candidates({}, given)


def _matrices(model: ServedModel, context: Mapping[str, Any], candidates: Candidates) -> dict[Hashable, np.ndarray]:
    columns, items = model.columns, model.items
    columns.check_names(candidates.columns, "candidates")
    columns.check_names(context, "context")
    given = {name: [value] for name, value in context.items() if name not in candidates.columns}
    present = [*given, *candidates.columns]
    looked_up = items is not None and candidates.ids is not None and not set(present) >= set(items.columns)
    columns.check_complete([*present, *(items.columns if items and looked_up else ())], "context and candidates")
    matrices = columns.encode(candidates.columns) | columns.encode(given)
    if items is not None and candidates.ids is not None and looked_up:
        matrices |= items.take(items.rows_of(candidates.ids), without=matrices)
    return matrices


def _listed(best: np.ndarray, scores: Mapping[str, np.ndarray], ids: list[Any] | None) -> list[dict[str, Any]]:
    names, places = [*scores], best.tolist()
    values = zip(*(column[best].tolist() for column in scores.values()), strict=True)
    found = [
        {"index": place, "scores": dict(zip(names, row, strict=True))}
        for place, row in zip(places, values, strict=True)
    ]
    return found if ids is None else [{"id": ids[one["index"]], **one} for one in found]
