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
    """The candidates to be ordered.

    Attributes:
        columns: the values in the request, by column.
        ids: the candidates' ids in the item table; None: no look-up.
    """

    columns: dict[str, list[Any]]
    ids: list[Any] | None = None


async def rank(model: ServedModel, asked: RankRequest, limits: Limits, laps: Laps) -> dict[str, Any]:
    """Return the answer to a request.

    A column's value comes from the candidate, else from the context, else from the item table.

    Raises:
        RequestError: a field is not valid; names it.
        TableError: a column holds what its declaration excludes; names the feature.
    """
    rows = len(asked.candidates)
    if not 0 < rows <= limits.candidates:
        raise RequestError(
            f"candidates: expected 1 to {limits.candidates:,}, found {rows:,}", 422 if rows == 0 else 413
        )
    # refuse before anything is computed
    order, fusion = model.order_of(asked.by), model.fused_by(asked.weights)
    if asked.gates:
        model.check_gated()
    candidates = _candidates(model, asked.candidates)
    inputs = model.inputs_of(_matrices(model, asked.context, candidates, rows), rows)
    laps.end("encode")
    outputs = await model.batcher.run(inputs.arrays, rows)
    laps.end("infer")
    scores = model.score(outputs, fusion, inputs.known)
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
    """Return candidates given as ids, or as objects of values that may hold an id."""
    items = model.items
    if not set(map(type, given)) <= {int, str}:
        columns = columns_of(given, "candidates")
        ids = None if items is None else columns.get(items.key)
        if items is not None and items.key not in model.columns.names:
            columns.pop(items.key, None)
        return Candidates(columns, ids)
    if items is None:
        found = kind_of(given[0])
        raise RequestError(f"candidates[0]: expected an object, found {found}: there is no item table to look it up in")
    return Candidates({}, given)


def _matrices(
    model: ServedModel, context: Mapping[str, Any], candidates: Candidates, rows: int
) -> dict[Hashable, np.ndarray]:
    columns, items = model.columns, model.items
    columns.check_names(candidates.columns, "candidates")
    columns.check_names(context, "context")
    own, shared = candidates.columns, {n: [value] for n, value in context.items() if n not in candidates.columns}
    columns.spread(shared, own, rows)
    present = {*shared, *own}
    known = () if items is None or candidates.ids is None else items.columns
    columns.check_complete({*present, *known}, "context and candidates")
    matrices = {**columns.encode(own, rows), **columns.encode(shared, rows)}
    if items is not None and candidates.ids is not None and not present >= {*known}:
        matrices |= items.take(items.rows_of(candidates.ids), without=matrices)
    return matrices


def _listed(best: np.ndarray, scores: Mapping[str, np.ndarray], ids: list[Any] | None) -> list[dict[str, Any]]:
    names, places = [*scores], best.tolist()
    values = zip(*(column[best].tolist() for column in scores.values()), strict=True)
    found = [dict(zip(names, row, strict=True)) for row in values]
    if ids is None:
        return [{"index": place, "scores": row} for place, row in zip(places, found, strict=True)]
    return [{"id": ids[place], "index": place, "scores": row} for place, row in zip(places, found, strict=True)]
