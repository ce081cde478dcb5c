"""Models that learn day after day, each day judged before anything learns from it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

import pyarrow as pa

from gatewise.analysis import unseen_shares
from gatewise.declare import Options, Schema
from gatewise.errors import DeclarationError, did_you_mean
from gatewise.loading import load
from gatewise.progress import unspoken
from gatewise.ranker import Ranker
from gatewise.tasks import Metrics
from gatewise.training import OPTIMIZER


@dataclass(frozen=True)
class Strategy:
    """A way of learning day after day.

    Attributes:
        name: what it is called.
        learns: ``all``: a new model from all days so far; ``latest``: a new model from the latest day alone;
            ``further``: the model is updated by the latest day; ``nothing``: the first model stays.
        update: options of :meth:`gatewise.Ranker.update`.
        replay: whether an update replays the earlier days.
        optimizer: whether an update goes on with the optimiser's state, where it is kept.
    """

    name: str
    learns: Literal["all", "latest", "further", "nothing"]
    update: Mapping[str, Any] = field(default_factory=dict)
    replay: bool = False
    optimizer: bool = True


STRATEGIES: Mapping[str, Strategy] = {
    each.name: each
    for each in (
        Strategy("retrain", "all"),
        Strategy("update", "further"),
        Strategy("update+replay", "further", replay=True),
        Strategy("latest", "latest"),
        Strategy("stale", "nothing"),
    )
}
"""The strategies that have a name."""


@dataclass(frozen=True)
class Judged:
    """What a strategy's model came to on a day that it had not learnt.

    Attributes:
        metrics: by output and name.
        unseen: the share of values that the model has no row for, by feature.
        cpu: CPU seconds of learning the day before, from the rows to the model.
    """

    metrics: Metrics
    unseen: dict[str, float]
    cpu: float


def strategies_named(names: Sequence[str], update: Mapping[str, Any], *, replay_share: float | None) -> list[Strategy]:
    """Return strategies by their names.

    Args:
        names: see ``STRATEGIES``.
        update: options of every update.
        replay_share: the share of replayed rows in a batch of ``update+replay``; None: the default of an update.

    Raises:
        DeclarationError: a name is unknown or given twice, or there is none.
    """
    if not names:
        raise DeclarationError(f"strategies: expected some of {', '.join(STRATEGIES)}, found none")
    found = []
    for name in names:
        if name not in STRATEGIES:
            near = did_you_mean(name, list(STRATEGIES)) or f" (strategies: {', '.join(STRATEGIES)})"
            raise DeclarationError(f"strategies: unknown strategy {name!r}{near}")
        if names.count(name) > 1:
            raise DeclarationError(f"strategies: {name!r} is named twice")
        known = STRATEGIES[name]
        share = {"replay_share": replay_share} if known.replay and replay_share is not None else {}
        found.append(replace(known, update={**update, **share}))
    return found


class Keeping(Protocol):
    """Keeps the judged days, numbered from 1, and the models behind them."""

    def judged(self) -> Iterator[dict[str, Judged]]:
        """Yield what was judged, day after day."""

    def models(self, day: int, strategies: Sequence[Strategy]) -> dict[str, Ranker] | None:
        """Return the models of all strategies behind a day, 0: the first model; None if one is gone."""

    def begin(self, model: Ranker) -> None:
        """Keep the first model."""

    def keep(
        self, day: int, judged: Mapping[str, Judged], models: Mapping[str, Ranker], strategies: Sequence[Strategy]
    ) -> None:
        """Keep a day, and the models of the strategies that are named."""


@dataclass(frozen=True)
class DayByDay:
    """Goes through days: every day is judged by every strategy's model before anything learns from it.

    All strategies begin with one model, of the first days. The day after these is learnt without being judged, as all
    models of it are equal. A training has no validation rows: it has the declared number of epochs.

    Attributes:
        schema: features and tasks.
        options: model, balance and training.
        days: the rows of every day, in order.
        first: days that the first model learns from.
        strategies: the ways of learning.
    """

    schema: Schema
    options: Options
    days: Sequence[pa.Table]
    first: int
    strategies: Sequence[Strategy]

    def run(self, kept: Keeping | None = None) -> Iterator[dict[str, Judged]]:
        """Yield what every strategy came to, by its name, of every day from the second after the first ones on.

        Args:
            kept: keeps days, of which those that were judged before are not judged again; None: nothing is kept.
        """
        last = len(self.days) - self.first - 1
        done = [] if kept is None else list(kept.judged())[:last]
        if len(done) == last:
            yield from done
            return
        models = None if kept is None else kept.models(len(done), self.strategies)
        if models is not None:
            models = {each.name: _kept_as(models[each.name], each) for each in self.strategies}
        else:
            # also where days were judged, but their models are gone
            done, models = [], self._first_models(kept)
        yield from done
        for number, today in enumerate(range(self.first + 1 + len(done), len(self.days)), len(done) + 1):
            found = {}
            for each in self.strategies:
                started = time.process_time()
                # what a training says of its rows would be most of an update's seconds
                with unspoken():
                    models[each.name] = self._learnt(each, models[each.name], today - 1)
                cpu = time.process_time() - started
                found[each.name] = self._judged(models[each.name], self.days[today], cpu)
            if kept is not None:
                kept.keep(number, found, models, [] if number == last else self.strategies)
            yield found

    def _first_models(self, kept: Keeping | None) -> dict[str, Ranker]:
        first = self._trained(pa.concat_tables(self.days[: self.first]))
        if kept is not None:
            kept.begin(first)
        with TemporaryDirectory() as place:
            first.save(Path(place) / "first")
            return {each.name: _kept_as(load(Path(place) / "first"), each) for each in self.strategies}

    def _trained(self, rows: pa.Table) -> Ranker:
        training = replace(self.options.training, patience=None)
        declared = Options(model=self.options.model, balance=self.options.balance, training=training)
        return Ranker.from_options(self.schema, declared).fit(rows, progress=False)

    def _learnt(self, strategy: Strategy, model: Ranker, yesterday: int) -> Ranker:
        """Return the model that has learnt a further day."""
        if strategy.learns == "all":
            return self._trained(pa.concat_tables(self.days[: yesterday + 1]))
        if strategy.learns == "latest":
            return self._trained(self.days[yesterday])
        if strategy.learns == "nothing":
            return model
        earlier = {"replay": pa.concat_tables(self.days[:yesterday])} if strategy.replay else {}
        updated = model.update(self.days[yesterday], progress=False, **earlier, **strategy.update)
        return _kept_as(updated, strategy)

    def _judged(self, model: Ranker, rows: pa.Table, cpu: float) -> Judged:
        encoded = model.scorer.encode(rows)
        metrics = model.scorer.predicted_rows(model.scorer.tensors(encoded)).evaluate()
        return Judged(metrics, unseen_shares(model.scorer.encoder, encoded), cpu)


def _kept_as(ranker: Ranker, strategy: Strategy) -> Ranker:
    return ranker if strategy.optimizer else _without_optimizer(ranker)


def _without_optimizer(ranker: Ranker) -> Ranker:
    """Return a ranker whose next update begins with a new optimiser."""
    ranker._kept = {name: value for name, value in ranker._kept.items() if not name.startswith(OPTIMIZER)}
    return ranker
