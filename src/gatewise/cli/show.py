"""Tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from gatewise.jobs import Contender
    from gatewise.tasks import Metrics


def number(value: float | None) -> str:
    """Return a metric as text; None is undefined."""
    return "undefined" if value is None else f"{value:.4f}"


def metrics_table(metrics: Metrics, title: str) -> Group:
    """Return one line a task and metric."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("task", "metric"):
        table.add_column(column)
    table.add_column("value", justify="right")
    for task, values in metrics.items():
        for position, (name, value) in enumerate(values.items()):
            table.add_row("" if position else task, name, number(value))
    return _titled(title, table)


def comparison_table(contenders: list[Contender], title: str) -> Group:
    """Return one line a metric, one column a contender."""
    table = Table(box=box.SIMPLE_HEAD)
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
    return _titled(title, table, "* of trunk and towers; embeddings are the same everywhere")


def gates_table(gates: np.ndarray, tasks: list[str], title: str) -> Group:
    """Return the average weight of every expert, one line a task."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("task")
    for expert in range(gates.shape[1]):
        table.add_column(f"e{expert}", justify="right")
    for task, weights in zip(tasks, gates, strict=True):
        table.add_row(task, *(f"{weight:.3f}" for weight in weights))
    return _titled(title, table)


def _titled(title: str, table: Table, note: str = "") -> Group:
    # a title of the table's own would be broken to the table's width
    return Group(Text(title), table, *([Text(note), Text()] if note else []))


def out() -> Console:
    """Return the console of standard output; piped output is not cut to a terminal's width."""
    console = Console()
    return console if console.is_terminal else Console(width=120)
