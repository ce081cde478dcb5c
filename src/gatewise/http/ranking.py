"""``POST /rank``: one user and some candidates in, the candidates in order out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
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
        places: the candidates' places in the request.
        skipped: the candidates that are left out, as no item has their id: ``index`` and ``id`` of each.
    """

    columns: dict[str, list[Any]]
    ids: list[Any] | None
    places: list[int]
    skipped: Sequence[dict[str, Any]] = ()


async def rank(model: ServedModel, asked: RankRequest, limits: Limits, laps: Laps) -> dict[str, Any]:
    """Return the answer to a request.

    A column's value comes from the candidate, else from the context, else from the item table. A candidate whose id no
    item has is left out, and named in the answer.

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
    candidates = _known(model, asked.context, _candidates(model, asked.candidates))
    rows = len(candidates.places)
    inputs = model.inputs_of(_matrices(model, asked.context, candidates, rows), rows)
    laps.end("encode")
    outputs = await model.batcher.run(inputs.arrays, rows)
    laps.end("infer")
    scores = model.score(outputs, fusion, inputs.known)
    best = np.argsort(-scores[order], kind="stable")[: asked.top]
    answer: dict[str, Any] = {"model": model.name, "version": model.version, "order": order}
    if fusion is not None:
        answer["fusion"] = str(fusion)
    answer["candidates"] = _listed(best, scores, candidates)
    if candidates.skipped:
        answer["skipped"] = candidates.skipped
    if asked.gates:
        for found, of_row in zip(answer["candidates"], model.gates(outputs)[best].tolist(), strict=True):
            found["gates"] = dict(zip(model.tasks, of_row, strict=True))
    laps.end("sort")
    return answer


def _candidates(model: ServedModel, given: list[Any]) -> Candidates:
    """Return candidates given as ids, or as objects of values that may hold an id."""
    items, places = model.items, [*range(len(given))]
    if not set(map(type, given)) <= {int, str}:
        columns = columns_of(given, "candidates")
        ids = None if items is None else columns.get(items.key)
        if items is not None and items.key not in model.columns.names:
            columns.pop(items.key, None)
        return Candidates(columns, ids, places)
    if items is None:
        found = kind_of(given[0])
        raise RequestError(f"candidates[0]: expected an object, found {found}: there is no item table to look it up in")
    return Candidates({}, given, places)


def _known(model: ServedModel, context: Mapping[str, Any], candidates: Candidates) -> Candidates:
    """Return the candidates without those that need the item table and are not in it.

    Raises:
        RequestError: none is left.
    """
    items, ids = model.items, candidates.ids
    if items is None or ids is None or {*context, *candidates.columns} >= {*items.columns}:
        return candidates
    unknown = items.unknown(ids)
    if len(unknown) == len(ids):
        # refuse as where an item is asked for by name
        items.rows_of(ids)
    if not unknown:
        return candidates
    left_out = {*unknown}
    kept = [place for place in candidates.places if place not in left_out]
    columns = {name: [values[place] for place in kept] for name, values in candidates.columns.items()}
    skipped = [{"index": place, "id": ids[place]} for place in unknown]
    return Candidates(columns, [ids[place] for place in kept], kept, skipped)


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


def _listed(best: np.ndarray, scores: Mapping[str, np.ndarray], candidates: Candidates) -> list[dict[str, Any]]:
    names, rows, ids = [*scores], best.tolist(), candidates.ids
    values = zip(*(column[best].tolist() for column in scores.values()), strict=True)
    found = [dict(zip(names, row, strict=True)) for row in values]
    asked = candidates.places
    if ids is None:
        return [{"index": asked[row], "scores": values} for row, values in zip(rows, found, strict=True)]
    return [{"id": ids[row], "index": asked[row], "scores": values} for row, values in zip(rows, found, strict=True)]
