"""Rankers from artefacts."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from gatewise.errors import ArtefactError
from gatewise.history import EpochRecord
from gatewise.ranker import Ranker
from gatewise.serving import load_artefact


def load(path: str | Path, device: str | None = None) -> Ranker:
    """Read a ranker that :meth:`Ranker.save` wrote; nothing in it is executed.

    Args:
        path: of the artefact.
        device: where it scores, such as ``"cuda"``; by default the CPU, wherever it was trained.

    Raises:
        DeclarationError: this machine has no such device.
        ArtefactError: it is absent, incomplete or damaged; says which file and why.
    """
    artefact = load_artefact(path)
    ranker = Ranker.from_options(artefact.scorer.encoder.schema, artefact.options)
    metrics = dict(artefact.metrics)
    try:
        ranker.history = TypeAdapter(list[EpochRecord]).validate_python(metrics.pop("history", []))
        ranker.rows = TypeAdapter(dict[str, int]).validate_python(metrics.pop("rows", {}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(["history", *map(str, first["loc"])])
        raise ArtefactError(f"artefact {str(path)!r}: metrics.json: {place}: {first['msg']}") from None
    ranker.metrics = metrics
    ranker._scorer, ranker._holds_more = artefact.scorer, True
    return ranker if device is None else ranker.to(device)
