"""Loading rankers from artefacts."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from gatewise.declare import Options
from gatewise.errors import ArtefactError
from gatewise.history import EpochRecord
from gatewise.provenance import provenance_of
from gatewise.ranker import Ranker
from gatewise.serving import Scorer, load_artefact


def load(path: str | Path, device: str | None = None) -> Ranker:
    """Return a ranker that :meth:`Ranker.save` wrote; no code in the artefact is executed.

    Args:
        path: the artefact's path.
        device: device for scoring, such as ``"cuda"``; by default the CPU, also for models trained on another device.

    Raises:
        DeclarationError: this machine does not have the device.
        ArtefactError: the artefact is absent, incomplete or damaged; names the file and the reason.
    """
    artefact = load_artefact(path, kept=True)
    ranker = ranker_of(artefact.scorer, artefact.options)
    ranker._kept = artefact.kept
    metrics = dict(artefact.metrics)
    try:
        ranker.history = TypeAdapter(list[EpochRecord]).validate_python(metrics.pop("history", []))
        ranker.rows = TypeAdapter(dict[str, int]).validate_python(metrics.pop("rows", {}))
        ranker.provenance = provenance_of(metrics, ranker.rows)
        ranker.until = TypeAdapter(dict[str, float]).validate_python(metrics.pop("until", {}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(["history", *map(str, first["loc"])])
        raise ArtefactError(f"artefact {str(path)!r}: metrics.json: {place}: {first['msg']}") from None
    ranker.metrics = metrics
    return ranker if device is None else ranker.to(device)


def ranker_of(scorer: Scorer, options: Options) -> Ranker:
    """Return a ranker that holds a trained scorer, whose architecture and further options are ``options``."""
    ranker = Ranker.from_options(scorer.encoder.schema, options)
    ranker._scorer = scorer
    return ranker
