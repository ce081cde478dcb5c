"""The result of a backtest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatewise.analysis import Advice, OverDays, over_days
from gatewise.errors import ArtefactError
from gatewise.files import write_text
from gatewise.grids import Grid, number, printed_as_tables
from gatewise.report import backtest_page, check_extra, render


@printed_as_tables
@dataclass(frozen=True)
class Backtest:
    """What strategies of learning day after day came to, as plain data; prints as a table.

    Attributes:
        by: the column of days.
        first: the first and the last day that the first model learnt from.
        days: the judged days.
        rows: the number of rows of every judged day.
        metrics: by strategy, output and metric, the value of every judged day; None: undefined.
        main: of every output, the metric that it is judged by.
        cpu: by strategy, CPU seconds of learning before every judged day.
        unseen: by strategy and feature, the share of values that the model had no row for, of every judged day.
        advice: which strategy to use, and why.
        interrupted: whether Ctrl-C ended it.
    """

    by: str
    first: tuple[str, str]
    days: list[str]
    rows: list[int]
    metrics: dict[str, dict[str, dict[str, list[float | None]]]]
    main: dict[str, str]
    cpu: dict[str, list[float]]
    unseen: dict[str, dict[str, list[float]]]
    advice: Advice
    interrupted: bool = False

    def over_days(self, strategy: str, output: str, beside: str | None = None) -> OverDays:
        """Return the mean over days of an output's metric, with its interval.

        Args:
            strategy: name of a strategy.
            output: name of an output.
            beside: another strategy, whose metric is subtracted day by day.
        """
        values, name = self.metrics[strategy][output], self.main[output]
        return over_days(values[name], None if beside is None else self.metrics[beside][output][name])

    def to_dict(self) -> dict[str, Any]:
        """Return the backtest as JSON values, with the mean over days of every output's metric."""
        means = {
            strategy: {output: self.over_days(strategy, output)._asdict() for output in self.main}
            for strategy in self.metrics
        }
        return {**asdict(self), "first": list(self.first), "advice": self.advice._asdict(), "over_days": means}

    def grids(self) -> list[Grid]:
        """Return a table of one line per strategy."""
        headings = ["strategy", *(f"{output} {name}" for output, name in self.main.items()), "CPU seconds", "unseen"]
        rows = [
            [
                strategy,
                *(with_reach(self.over_days(strategy, output)) for output in self.main),
                f"{sum(self.cpu[strategy]):,.1f}",
                self._most_unseen(strategy),
            ]
            for strategy in self.metrics
        ]
        count = len(self.days)
        which = f"{count} days, {self.days[0]} to {self.days[-1]}" if count > 1 else f"1 day, {self.days[0]}"
        title = f"{which}, each judged before it was learnt"
        return [Grid(headings, rows, title, self.advice.sentence)]

    def _most_unseen(self, strategy: str) -> str:
        """Return the feature of the largest share of unseen values, and the share."""
        shares = {name: sum(values) / len(values) for name, values in self.unseen[strategy].items()}
        name = max(shares, key=lambda each: shares[each], default="")
        return f"{name} {shares[name]:.1%}" if name else ""

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML file; return its path.

        Raises:
            ArtefactError: the file cannot be written.
            MissingExtraError: matplotlib or jinja2 is not installed.
        """
        check_extra()
        target = Path(path)
        if target.is_dir():
            raise ArtefactError(f"{str(target)!r} is a folder: a report is a file")
        write_text(target, render(backtest_page(self.to_dict(), target.resolve().parent.name)))
        return target


def with_reach(found: OverDays) -> str:
    """Return a mean, and half the width of its interval."""
    reach = "" if found.low is None or found.high is None else f" ± {(found.high - found.low) / 2:.4f}"
    return number(found.mean) + reach
