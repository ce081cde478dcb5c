"""The report of a backtest: which strategy to use, its curves, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from gatewise import plots
from gatewise.report.blocks import Cell, Figure, Figures, Note, Page, Section, Table, Tile, Titled, Value
from gatewise.report.pictures import figure


def backtest_page(found: Mapping[str, Any], name: str) -> Page:
    """Return the report of a backtest.

    Args:
        found: the content of ``backtest.json``, or ``to_dict`` of a backtest.
        name: the name of the backtest.
    """
    days, chosen = found["days"], found["advice"]["strategy"]
    judged = f"{len(days)} days of {found['by']}, {days[0]} to {days[-1]}, {sum(found['rows']):,} rows"
    subtitle = f"{', '.join(found['main'])} · {judged}"
    sections = [
        Section("words", "In words", "", [Note(found["advice"]["sentence"], "good")]),
        _curves(found),
        _means(found),
        _unseen(found),
        _all_days(found),
    ]
    return Page(f"{name}: backtest", subtitle, _tiles(found, chosen), [each for each in sections if each.blocks])


def _tiles(found: Mapping[str, Any], chosen: str) -> list[Tile]:
    means = [
        Tile(f"{output} {name}", found["over_days"][chosen][output]["mean"], f"with {chosen}, mean over days")
        for output, name in found["main"].items()
    ]
    return [Tile("use", Cell(chosen, "good")), *means, Tile("CPU seconds", sum(found["cpu"][chosen]), "of all days")]


def _lines(title: str, values: Mapping[str, Sequence[float | None]], days: Sequence[str], of: str) -> Figure:
    rows: list[list[Value]] = [[day, *(line[place] for line in values.values())] for place, day in enumerate(days)]
    drawn = partial(plots.day_by_day, values, days, of=of)
    numbers = Table(["day", *values], rows)
    return figure(title, drawn, numbers, legend=list(values))


def _curves(found: Mapping[str, Any]) -> Section:
    figures = [
        _lines(output, {who: of[output][name] for who, of in found["metrics"].items()}, found["days"], name)
        for output, name in found["main"].items()
    ]
    seconds = {who: of for who, of in found["cpu"].items() if any(of)}
    figures += [_lines("CPU seconds", seconds, found["days"], "CPU seconds")] if seconds else []
    first, last = found["first"]
    begun = f"Every strategy begins with one model, of {first}" + (f" to {last}" if last != first else "")
    return Section("days", "Day by day", f"{begun}. Each day is judged before it is learnt.", [Figures(figures)])


def _means(found: Mapping[str, Any]) -> Section:
    rows: list[list[Value]] = []
    most = max(sum(of) for of in found["cpu"].values())
    for who, outputs in found["over_days"].items():
        cells: list[Value] = [Cell(who, "main" if who == found["advice"]["strategy"] else "")]
        for each in outputs.values():
            known = each["low"] is not None
            cells.append(Cell(each["mean"], digits=4, beside=f" ({each['low']:.4f} to {each['high']:.4f})" * known))
        spent = sum(found["cpu"][who])
        rows.append([*cells, Cell(spent, digits=1), Cell(spent / most if most else None, digits=2)])
    heads = ["strategy", *(f"{output} {name}" for output, name in found["main"].items())]
    table = Table([*heads, "CPU seconds", "of the dearest"], rows)
    intro = (
        "Means over the judged days, in brackets intervals of 95% over days drawn anew. They cover the chance of which "
        "days there were; of a few days they are too narrow. CPU seconds are those of learning, from rows to model."
    )
    return Section("means", "Over all days", intro, [Titled("", table)])


def _unseen(found: Mapping[str, Any]) -> Section:
    features: Mapping[str, Any] = next(iter(found["unseen"].values()), {})
    figures = [
        _lines(name, {who: of[name] for who, of in found["unseen"].items()}, found["days"], "unseen")
        for name in features
        if any(any(of[name]) for of in found["unseen"].values())
    ]
    intro = "The share of a day's values that a model has no row of its own for, before it learns the day."
    return Section("unseen", "Unseen values", intro, [Figures(figures)] if figures else [])


def _all_days(found: Mapping[str, Any]) -> Section:
    rows: list[list[Value]] = [
        [day, float(found["rows"][place]), who, output, metric, values[place]]
        for who, outputs in found["metrics"].items()
        for output, metrics in outputs.items()
        for metric, values in metrics.items()
        for place, day in enumerate(found["days"])
    ]
    table = Table(["day", "rows", "strategy", "prediction", "metric", "value"], rows)
    return Section("all", "Every metric of every day", "", [Titled("", table, folded="all figures")], folded=True)
