"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gatewise.grids import Grid, number

if TYPE_CHECKING:
    from gatewise.analysis import Estimates, FusionFront, GateUsage, Slice, SliceVerdict, Spread, Verdict
    from gatewise.jobs import Comparison
    from gatewise.metrics import GroupMetric, Metric
    from gatewise.tasks import Metrics, Task

ACROSS = 4
"""Most columns of metrics in one table."""
SKIPPED = "_skipped"


def drawn(grid: Grid) -> Group:
    """Return a table of text with its title and note; bars are red to the left and green to the right."""
    table = Table(box=box.SIMPLE_HEAD, show_header=any(grid.headings))
    for heading, numeric in zip(grid.headings, grid.numeric, strict=True):
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=heading == "")
    for row in grid.rows:
        table.add_row(*map(_coloured, row), style="dim" if row[0].startswith("(") else "")
    name, colon, rest = grid.title.partition(": ")
    title = [Text.assemble((name, "bold"), colon, rest)] if grid.title else []
    return Group(*title, *([table] if grid.rows else []), *([Text(grid.note)] if grid.note else []))


def _coloured(cell: str) -> Text:
    return Text(cell, style=("red" if cell.endswith("|") else "green") if "█" in cell else "")


def metrics_table(metrics: Metrics, title: str, note: str = "") -> Group:
    """Return tables of one line per metric and one column per prediction; other metrics are another table."""
    from gatewise.analysis import metrics_grids

    return _titled(title, *map(drawn, metrics_grids(metrics)), note=note)


def change_table(before: Metrics, after: Metrics, title: str) -> Group:
    """Return a table of one line per prediction and metric: with 32 bits, with 8 bits, and the change."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("prediction", "metric"):
        table.add_column(column)
    for column in ("32 bits", "8 bits", "change"):
        table.add_column(column, justify="right")
    for output, values in before.items():
        for position, (name, old) in enumerate(values.items()):
            new = after[output][name]
            moved = "" if old is None or new is None else f"{new - old:+.6f}"
            table.add_row("" if position else output, name, number(old), number(new), moved)
    return _titled(title, table)


def intervals_table(estimates: Estimates, title: str) -> Group:
    """Return a table of one line per task and metric, with the ends of the interval."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("task", "metric"):
        table.add_column(column)
    for column in ("value", "low", "high"):
        table.add_column(column, justify="right")
    for task, values in estimates.items():
        for position, (name, found) in enumerate(values.items()):
            cells = [number(value) for value in (found.value, found.low, found.high)]
            table.add_row("" if position else task, name, *cells)
    return _titled(title, table)


def slices_tables(slices: dict[str, list[Slice]], tasks: Sequence[Task], title: str) -> Group:
    """Return one table per prediction, with one line per slice and the worst value of every metric marked.

    A prediction that has none of the metrics has no table.
    """
    from gatewise.analysis import metrics_by_name

    owners = {output: metrics_by_name(task, output) for task in tasks for output in task.outputs}
    shown: list[Group] = []
    for output, parts in slices.items():
        # the number of skipped groups does not say how good a slice is
        metrics = [owners[output][name] for name in (parts[0].metrics if parts else ()) if name in owners[output]]
        tables = [_slices_table(parts, metrics[start : start + ACROSS]) for start in range(0, len(metrics), ACROSS)]
        if tables:
            shown.append(_titled(f"{output}: {title}", *tables))
    return Group(*shown, Text("* the worst slice of the column"), Text())


def _slices_table(parts: list[Slice], metrics: Sequence[Metric | GroupMetric]) -> Table:
    from gatewise.analysis import worst

    by_column = {column: [part for part in parts if part.column == column] for column in (p.column for p in parts)}
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("column", "slice"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", *(metric.name for metric in metrics)):
        table.add_column(heading, justify="right", overflow="fold")
    for column, members in by_column.items():
        least = [worst(metric, members) for metric in metrics]
        for position, part in enumerate(members):
            marks = ["*" if part is one else " " for one in least]
            cells = [number(part.metrics[metric.name]) + mark for metric, mark in zip(metrics, marks, strict=True)]
            table.add_row("" if position else column, part.value, f"{part.rows:,}", *cells)
    return table


def comparison_table(found: Comparison, title: str, metrics: Collection[str] | None = None) -> Group:
    """Return a table of one line per metric and one column per contestant, and the contestants' sizes.

    Args:
        found: the comparison.
        title: the line above the table.
        metrics: names of the metrics to show; None: all.
    """
    table = _spreads(found, metrics)
    sizes = [" + ".join(f"{size:,}" for size in cost.parameters or ()) for cost in found.cost.values()]
    table.add_row("", "parameters*", *sizes)
    return _titled(title, table, note="* outside the embeddings, which are the same everywhere")


def spreads_table(found: Comparison) -> Group:
    """Return a table of one line per metric (mean and standard deviation over seeds) and one column per contestant."""
    seeds = f"{len(found.seeds)} seeds" if len(found.seeds) > 1 else "1 seed"
    return _titled(f"{found.rows:,} test rows, {seeds}: mean ± standard deviation", _spreads(found))


def _spreads(found: Comparison, metrics: Collection[str] | None = None) -> Table:
    table = _columns(["task", "metric"], found.metrics)
    for output, names in next(iter(found.metrics.values())).items():
        shown = [name for name in names if not name.endswith(SKIPPED) and (metrics is None or name in metrics)]
        for position, name in enumerate(shown):
            cells = [_spread(of_model[output][name]) for of_model in found.metrics.values()]
            table.add_row("" if position else output, name, *cells)
    return table


def _spread(spread: Spread) -> str:
    return number(spread.mean) + ("" if spread.deviation is None else f" ± {spread.deviation:.4f}")


def verdicts_table(found: Comparison) -> Group:
    """Return a table of one line per verdict: a contestant's difference from single-task models, and its meaning."""
    return _verdicts("difference to single-task models", found.verdicts, found.level, found.note)


def over_trees_table(found: Comparison) -> Group:
    """Return a table of one line per verdict: a contestant's difference from the baseline's trees."""
    return _verdicts("difference to trees", found.over_trees, found.level)


def _verdicts(title: str, verdicts: list[Verdict], level: float, loud: str = "") -> Group:
    table = _columns(["task", "metric", "model"], ["change", "low", "high"])
    table.add_column("verdict")
    before = ("", "")
    for each in verdicts:
        task = ("", "") if (each.output, each.metric) == before else (each.output, each.metric)
        before = each.output, each.metric
        changes = ["undefined" if value is None else f"{value:+.4f}" for value in (each.change, each.low, each.high)]
        table.add_row(*task, each.contestant, *changes, each.verdict)
    note = f"intervals of {level:.0%}: the test rows drawn anew, for the models that were trained"
    return _titled(title, table, note=f"{note}\n{loud}" if loud else note)


def costs_table(found: Comparison) -> Group:
    """Return a table of one line per contestant: its best epoch, size and speed."""
    from gatewise.analysis import best_epoch

    table = _columns(["model"], ["best epoch", "parameters*", "seconds", "rows/s", "ms for 200 rows"])
    for who, cost in found.cost.items():
        sizes = "" if cost.parameters is None else " + ".join(f"{size:,}" for size in cost.parameters)
        rate = "" if cost.rows_per_second is None else f"{cost.rows_per_second:,.0f}"
        table.add_row(who, best_epoch(cost.epochs), sizes, f"{cost.seconds:,.1f}", rate, f"{1000 * cost.latency:.2f}")
    return _titled("cost of training and scoring", table, note="* outside the embeddings")


def affinity_tables(found: Comparison) -> Group:
    """Return one table per shared model: what a step on a line's task does to the losses of all tasks."""
    shown = []
    for who, rows in found.affinity.items():
        table = _columns([f"{who}: a step on"], found.tasks)
        for task, row in zip(found.tasks, rows, strict=True):
            table.add_row(task, *("undefined" if value is None else f"{value:+.4f}" for value in row))
        shown.append(table)
    return _titled("by what share a step on one task lowers the loss of each, below 0: raises it", *shown)


def front_table(found: FusionFront) -> Group:
    """Return a table of one line per point: the current expression, then those of the front."""
    places = [f"#{place}" for place in range(1, len(found.current.weights) + 1)]
    table = _columns(["point"], [*found.goals, *places])
    for name, candidate in found.points():
        table.add_row(name, *map(number, candidate.values), *(f"{weight:.4g}" for weight in candidate.weights))
    tried = f", {len(found.tried) - 1:,} weights tried: points that no other one beats on all goals"
    title = f"{found.current.expression} on {found.rows:,} rows" + (tried if len(found.tried) > 1 else "")
    return _titled(title, table, note="#1, #2 ...: the weights by their places in the expression")


def _columns(texts: Sequence[str], numbers: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in texts:
        table.add_column(column)
    for column in numbers:
        table.add_column(column, justify="right")
    return table


def gates_table(usages: Sequence[GateUsage], title: str) -> Group:
    """Return a table of the average weight of every expert: one line per task and segment, the largest in bold."""
    first, column = usages[0], usages[-1].column
    table = _columns(["task", *([column] if column else [])], [f"e{expert}" for expert in range(len(first.experts))])
    for gate, task in enumerate(first.gates):
        for position, usage in enumerate(usages):
            weights = usage.weights[gate]
            cells = [Text(f"{weight:.3f}", "bold" if weight == max(weights) else "") for weight in weights]
            segment = [usage.value or "all"] if column else []
            table.add_row("" if position else task, *segment, *cells)
    return _titled(title, table)


def sharing_table(found: Sequence[SliceVerdict], title: str, note: str) -> Group:
    """Return a table of one line per output and segment: the difference of one contestant from another."""
    table = _columns(["task", "metric", found[0].column or ""], ["rows", "change", "low", "high"])
    table.add_column("verdict")
    before = ""
    for each in found:
        verdict = each.verdict
        changes = ["undefined" if value is None else f"{value:+.4f}" for value in verdict[3:6]]
        task = ("", "") if verdict.output == before else (verdict.output, verdict.metric)
        before = verdict.output
        table.add_row(*task, each.value or "all", f"{each.rows:,}", *changes, verdict.verdict)
    return _titled(title, table, note=note)


def _titled(title: str, *tables: RenderableType, note: str = "") -> Group:
    # a table's own title would be wrapped to the table's width
    return Group(Text(title), *tables, *([Text(note), Text()] if note else []))


def out() -> Console:
    """Return the console of standard output; piped output is not cut to a terminal's width."""
    # imports torch, for which neither help nor completion should wait
    from gatewise.progress import terminal

    console = terminal()
    return console if console.is_terminal else terminal(width=120)
