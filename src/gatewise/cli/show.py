"""Tables for the terminal."""

from __future__ import annotations

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from gatewise.jobs import Contender
from gatewise.serving import Metrics


def number(value: float | None) -> str:
    """Return a metric as text; None is undefined."""
    return "undefined" if value is None else f"{value:.4f}"


def metrics_table(metrics: Metrics, title: str) -> Table:
    """Return one line a task and metric."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for column in ("task", "metric"):
        table.add_column(column)
    table.add_column("value", justify="right")
    for task, values in metrics.items():
        for position, (name, value) in enumerate(values.items()):
            table.add_row("" if position else task, name, number(value))
    return table


def comparison_table(contenders: list[Contender], title: str) -> Table:
    """Return one line a metric, one column a contender."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for column in ("task", "metric"):
        table.add_column(column)
    for contender in contenders:
        table.add_column(contender.name, justify="right")
    for task, values in contenders[0].metrics.items():
        for position, name in enumerate(values):
            cells = [number(contender.metrics[task][name]) for contender in contenders]
            table.add_row("" if position else task, name, *cells)
    sizes = [" + ".join(f"{size:,}" for size in contender.parameters) for contender in contenders]
    table.add_row("", "parameters*", *sizes)
    table.caption, table.caption_justify = "* of trunk and towers; embeddings are the same everywhere", "left"
    return table


def gates_table(gates: np.ndarray, tasks: list[str], title: str) -> Table:
    """Return the average weight of every expert, one line a task."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("task")
    for expert in range(gates.shape[1]):
        table.add_column(f"e{expert}", justify="right")
    for task, weights in zip(tasks, gates, strict=True):
        table.add_row(task, *(f"{weight:.3f}" for weight in weights))
    return table


def out() -> Console:
    """Return the console of standard output; piped output is not cut to a terminal's width."""
    console = Console()
    return console if console.is_terminal else Console(width=120)
