"""``POST /predict``: rows in, their scores out."""

from __future__ import annotations

from typing import Any

from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.metrics import Laps
from gatewise.http.model import ServedModel
from gatewise.http.requests import PredictRequest, columns_of


async def predict(model: ServedModel, asked: PredictRequest, limits: Limits, laps: Laps) -> dict[str, Any]:
    """Return the answer to a request.

    Raises:
        RequestError: a field is not valid; names it.
        TableError: a column holds what its declaration excludes; names the feature.
    """
    check_rows(len(asked.rows), "rows", limits)
    if asked.gates:
        model.check_gated()
    columns = columns_of(asked.rows, "rows")
    inputs = model.inputs(columns, len(asked.rows), "rows")
    laps.end("encode")
    outputs = await model.batcher.run(inputs.arrays, len(asked.rows))
    laps.end("infer")
    scores = model.score(outputs, model.fusion, inputs.known)
    values = zip(*(column.tolist() for column in scores.values()), strict=True)
    answer: dict[str, Any] = {"model": model.name, "version": model.version}
    answer["rows"] = [dict(zip(scores, row, strict=True)) for row in values]
    if asked.gates:
        answer["gates"] = [dict(zip(model.tasks, row, strict=True)) for row in model.gates(outputs).tolist()]
    laps.end("sort")
    return answer


def check_rows(rows: int, where: str, limits: Limits) -> None:
    """Refuse an empty list of rows, and too many rows.

    Raises:
        RequestError: with 422 or 413.
    """
    if rows == 0:
        raise RequestError(f"{where}: expected 1 or more, found none")
    if rows > limits.rows:
        raise RequestError(f"{where}: expected {limits.rows:,} or fewer, found {rows:,}", 413)
