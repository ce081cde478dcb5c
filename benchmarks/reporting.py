"""What the benchmarks say: progress on standard error, tables in Markdown, figures with the digits that count."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from statistics import median

STARTED = time.monotonic()
PEERS = ("torch-rechub", "deepctr-torch")


def say(text: str) -> None:
    """Show progress, with the time since the start."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"[{minutes:3d}:{seconds:02d}] {text}", file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are right-aligned."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def digits(value: float, count: int = 3) -> str:
    """Return a number with some significant digits, thousands separated: 12,300 or 0.0421."""
    rounded = float(f"{value:.{count}g}")
    if rounded >= 10 ** (count - 1):
        return f"{rounded:,.0f}"
    whole = len(str(int(rounded))) if rounded >= 1 else 0
    return f"{rounded:.{count - whole}f}" if rounded >= 0.1 else f"{rounded:.{count}g}"


def spread(values: Sequence[float], count: int = 3) -> str:
    """Return median and range; nothing of nothing."""
    if not values:
        return ""
    return f"{digits(median(values), count)} ({digits(min(values), count)} to {digits(max(values), count)})"


def megabytes(size: float) -> str:
    """Return bytes as MB."""
    return f"{digits(size / 1e6)} MB"


def libraries() -> str:
    """Say which peers of which version are installed."""
    found = []
    for package in PEERS:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)
