"""Section: curves of the training."""

from __future__ import annotations

from functools import partial

from gatewise import plots
from gatewise.plots.colours import series
from gatewise.report.blocks import Block, Figure, Figures, Note, Section, Table, Value
from gatewise.report.findings import Findings
from gatewise.report.pictures import figure


def learning(found: Findings) -> Section:
    """Return learning curves of every task, and task weights over time."""
    title = "Learning"
    if not found.history:
        return Section("learning", title, blocks=[Note("The artefact holds no history of its training.")])
    curves = [
        curve for position, task in enumerate(found.schema.tasks) for curve in _curves(found, task.name, position)
    ]
    blocks: list[Block] = [Figures(curves, "Learning curves"), Figures([_weights(found)], "Task weights")]
    intro = (
        "Epoch by epoch; the dotted line marks the epoch whose weights were kept. The validation loss stands beside "
        "the training loss where a metric is what the training minimises; where it rises, rows are learnt by heart."
    )
    return Section("learning", title, intro, blocks)


def _curves(found: Findings, task: str, position: int) -> list[Figure]:
    """Return the curves of a task's training loss and of its predictions' summary metrics."""
    history, colour = found.history, series(position)
    beside = plots.validation_loss(history, task)
    losses: list[list[Value]] = [[record.epoch, record.train[task]["loss"]] for record in history]
    if beside is not None:
        losses = [[*row, value] for row, value in zip(losses, beside, strict=True)]
    headings = ["epoch", "training loss", *([] if beside is None else ["validation loss"])]
    draw = partial(plots.learning_curve, history, task, colour=colour)
    names = [] if beside is None else ["training", "validation"]
    title = f"{task}: {'training loss' if beside is None else 'loss'}"
    figures = [figure(title, draw, Table(headings, losses), legend=names, task=task)]
    for output, metric in found.summaries.items():
        if output not in found.outputs_of[task] or not any(output in record.valid for record in history):
            continue
        values = [[record.epoch, record.valid.get(output, {}).get(metric.name)] for record in history]
        draw_metric = partial(plots.learning_curve, history, output, metric.name, colour=colour)
        numbers = Table(["epoch", metric.name], values)
        figures.append(figure(f"{output}: {metric.name} on the validation rows", draw_metric, numbers, task=task))
    return figures


def _weights(found: Findings) -> Figure:
    tasks = [task.name for task in found.schema.tasks]
    rows = [[record.epoch, *(record.train[task].get("weight") for task in tasks)] for record in found.history]
    draw = partial(plots.task_weights, found.history)
    return figure("Mean weight of each task's loss", draw, Table(["epoch", *tasks], rows), legend=tasks)
