"""The service that one writes in an afternoon: FastAPI, a pydantic model a row, the ranker as it is.

python benchmarks/naive_service.py ARTEFACT PORT
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

import gatewise as gw


class Row(BaseModel):
    user_id: int
    movie_id: int
    genres: str | None
    year: float | None
    movie_age: float | None
    hour: int
    weekday: int
    user_count: float | None
    user_mean: float | None
    movie_count: float | None
    movie_mean: float | None


class Asked(BaseModel):
    rows: list[Row]


class Scored(BaseModel):
    index: int
    liked: float
    rating: float


def make_app(artefact: str) -> FastAPI:
    app, ranker = FastAPI(), gw.load(artefact)

    @app.post("/rank")
    def rank(asked: Asked) -> list[Scored]:
        predicted = ranker.predict([row.model_dump() for row in asked.rows]).to_pylist()
        scored = [Scored(index=place, **scores) for place, scores in enumerate(predicted)]
        return sorted(scored, key=lambda one: one.liked, reverse=True)

    @app.get("/v2/health/ready")
    def ready() -> bool:
        return True

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), port=int(sys.argv[2]), log_level="warning", access_log=False)
