"""The days of a backtest, kept on disk: an interrupted backtest goes on behind the last day that was judged."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import pyarrow as pa

from gatewise.data import identity_of
from gatewise.declare import Options, Schema, to_dict
from gatewise.errors import ArtefactError
from gatewise.jobs.day_by_day import Judged, Strategy
from gatewise.jobs.train import write_json
from gatewise.loading import load
from gatewise.ranker import Ranker

FIRST = "first"


@dataclass(frozen=True)
class KeptDays:
    """What every strategy came to on the judged days so far, and the models with which the next day begins.

    Attributes:
        folder: of this backtest alone; its name is a digest of the recipe and the rows.
    """

    folder: Path

    @classmethod
    def of(
        cls,
        place: Path,
        schema: Schema,
        options: Options,
        days: Sequence[tuple[str, pa.Table]],
        first: int,
        strategies: Sequence[Strategy],
    ) -> KeptDays:
        """Return the days that a folder keeps of this backtest; those of any other one are removed."""
        learnt = to_dict(Options(model=options.model, balance=options.balance, training=options.training))
        declared = [to_dict(schema), learnt, first, [asdict(each) for each in strategies]]
        rows = [[name, identity_of(table)] for name, table in days]
        digest = hashlib.blake2b(json.dumps([declared, rows], sort_keys=True).encode(), digest_size=16).hexdigest()
        for other in place.glob("[0-9a-f]" * len(digest)):
            if other.name != digest:
                shutil.rmtree(other)
        return cls(place / digest)

    def judged(self) -> Iterator[dict[str, Judged]]:
        """Yield what was judged, day after day, up to the first day that is absent or damaged."""
        for day in count(1):
            try:
                kept = json.loads(self._result(day).read_text(encoding="utf-8"))
                whole = kept.pop("digest") == _digest(kept)
                found = {name: Judged(**values) for name, values in kept["judged"].items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                return
            if not whole:
                return
            yield found

    def models(self, day: int, strategies: Sequence[Strategy]) -> dict[str, Ranker] | None:
        """Return the models of all strategies behind a day, 0: the first model; None if one is absent or damaged."""
        try:
            return {each.name: load(self._model(day, each)) for each in strategies}
        except ArtefactError:
            return None

    def begin(self, model: Ranker) -> None:
        """Keep the model that all strategies begin with."""
        self.folder.mkdir(parents=True, exist_ok=True)
        model.save(self.folder / FIRST)

    def keep(
        self, day: int, judged: Mapping[str, Judged], models: Mapping[str, Ranker], strategies: Sequence[Strategy]
    ) -> None:
        """Keep a day's result and the models that the next day is learnt by; those of the day before are removed."""
        for each in strategies:
            if each.learns == "further":
                models[each.name].save(self._model(day, each))
        # a result counts only with the models beside it, so that it comes last
        result = {"judged": {name: asdict(each) for name, each in judged.items()}}
        write_json(self._result(day), result | {"digest": _digest(result)})
        self.forget(day - 1)

    def forget(self, day: int) -> None:
        """Remove the models of a day, which no further day is learnt by."""
        shutil.rmtree(self._models(day), ignore_errors=True)

    def _result(self, day: int) -> Path:
        return self.folder / f"{day}.json"

    def _models(self, day: int) -> Path:
        return self.folder / f"models-{day}"

    def _model(self, day: int, strategy: Strategy) -> Path:
        """Return where a strategy's model lies; a model that learns no further is the first one, or made anew."""
        further = day > 0 and strategy.learns == "further"
        return self._models(day) / strategy.name if further else self.folder / FIRST


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
