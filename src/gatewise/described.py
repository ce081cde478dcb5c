"""A ranker in words: one line, a page in a notebook, a summary of its layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from torch import nn
from typing_extensions import override

from gatewise import declare
from gatewise.analysis import metrics_grids
from gatewise.errors import shown
from gatewise.grids import Grid, html_of
from gatewise.history import EpochRecord, kept_epoch
from gatewise.nn import MultiTaskModel
from gatewise.serving import Scorer

PARTS = {"input_layer": "inputs", "trunk": "trunk", "towers": "towers", "members": "members"}


class Fitted(Protocol):
    """What a ranker knows of itself."""

    schema: declare.Schema
    options: declare.Options
    history: list[EpochRecord]
    metrics: dict[str, Any]
    rows: dict[str, int]
    _scorer: Scorer | None

    @property
    def scorer(self) -> Scorer:
        """The fitted encoder, model and tasks."""


class Described:
    """The one line, the notebook's page and the summary of a ranker."""

    @override
    def __repr__(self: Fitted) -> str:
        """Return one line: architecture, features, tasks and, if fitted, epochs and rows."""
        tasks = shown([task.name for task in self.schema.tasks], 5)
        about = f"{type(self.options.model).__name__}, {len(self.schema.features)} features, tasks: {tasks}"
        return f"<Ranker {about}; {_trained(self)}>"

    def _repr_html_(self: Fitted) -> str:
        """Return the page of a notebook: what the ranker is, what it was trained on, and its metrics."""
        return html_of(_Page(self))

    @property
    def model(self: Fitted) -> MultiTaskModel:
        """The fitted PyTorch module, which maps encoded rows to scores; its parameters are those that predict.

        Raises:
            GatewiseError: the ranker is not fitted yet.
        """
        return self.scorer.model

    def summary(self: Fitted) -> str:
        """Return a text: the inputs, the tasks, the parameters of each part, and every layer.

        Before the first :meth:`fit` there are no layers, and the text says so.
        """
        grids = [_heading(self), *self.schema.grids()]
        if self._scorer is not None:
            grids += [_parts(self._scorer.model), _layers(self._scorer.model)]
        return "\n\n".join(grid.text() for grid in grids)


class _Page:
    def __init__(self, ranker: Fitted) -> None:
        self.ranker = ranker

    def grids(self) -> list[Grid]:
        """Return the tables of the page."""
        ranker = self.ranker
        facts = Grid(["", ""], [*_facts(ranker)], f"Ranker, {_trained(ranker)}")
        return [facts, *ranker.schema.grids(), *_metrics(ranker)]


def _trained(ranker: Fitted) -> str:
    if ranker._scorer is None:
        return "not fitted"
    rows = ranker.rows.get("training")
    epochs = len(ranker.history)
    return f"fitted, {epochs} epoch{'' if epochs == 1 else 's'}" + ("" if rows is None else f" of {rows:,} rows")


def _facts(ranker: Fitted) -> Iterator[list[str]]:
    options, kept = ranker.options, kept_epoch(ranker.history)
    yield ["model", type(options.model).__name__]
    if ranker._scorer is not None:
        yield ["parameters", f"{ranker._scorer.model.num_parameters():,}"]
    yield ["balance", options.balance.kind]
    yield from ([f"{part} rows", f"{rows:,}"] for part, rows in ranker.rows.items())
    if kept is not None:
        yield ["epochs", f"{len(ranker.history)}, the weights are of epoch {kept.epoch}"]
    if options.fusion is not None:
        yield ["fusion", options.fusion]
    if ranker._scorer is not None and ranker._scorer.calibration:
        yield ["calibrated", "yes"]


def _metrics(ranker: Fitted) -> Iterator[Grid]:
    """Yield the metrics of the epoch whose weights were kept, and those that were measured after the training."""
    kept = kept_epoch(ranker.history)
    measured = {part: found for part, found in ranker.metrics.items() if _are_metrics(found)}
    if kept is not None and kept.valid:
        measured = {f"validation rows, epoch {kept.epoch}": kept.valid} | measured
    for part, found in measured.items():
        for place, grid in enumerate(metrics_grids(found)):
            yield Grid(grid.headings, grid.rows, "" if place else part)


def _are_metrics(found: Any) -> bool:
    """Whether a value of an artefact has the form of metrics; a person may keep others there."""
    outputs = list(found.values()) if isinstance(found, Mapping) else [None]
    numbers = [value for values in outputs if isinstance(values, Mapping) for value in values.values()]
    are_mappings = all(isinstance(values, Mapping) for values in outputs)
    return are_mappings and all(value is None or isinstance(value, (int, float)) for value in numbers)


def _heading(ranker: Fitted) -> Grid:
    note = "" if ranker._scorer is not None else "the layers depend on the training table: fit makes them"
    return Grid([], [], f"{type(ranker.options.model).__name__}, {_trained(ranker)}", note)


def _parts(model: MultiTaskModel) -> Grid:
    tables = model.num_parameters() - model.num_parameters(embeddings=False)
    counted = {said: _count(getattr(model, name)) for name, said in PARTS.items() if getattr(model, name) is not None}
    counted = {"embeddings": tables, **counted, "inputs": counted["inputs"] - tables}
    counted["all"] = model.num_parameters()
    return Grid(["part", "parameters"], [[name, f"{count:,}"] for name, count in counted.items()])


def _layers(model: MultiTaskModel) -> Grid:
    rows = []
    for name, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if own:
            shapes = ", ".join(f"{path} {'x'.join(map(str, weight.shape))}" for path, weight in own.items())
            rows.append([name or "(model)", type(module).__name__, shapes, f"{sum(w.numel() for w in own.values()):,}"])
    return Grid(["layer", "class", "shapes", "parameters"], rows)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
