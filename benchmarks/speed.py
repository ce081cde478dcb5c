"""Training speed and memory of every contestant, on the same rows, in turn."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import median

from contestants import DEEPCTR, ENTRIES, RECHUB
from limits import Limits
from page import machine
from race import Race, race
from reporting import digits, libraries, megabytes, say, spread, table
from workload import WORKLOADS, Workload, make_rows

COMMAND = "make bench PARTS=speed"
ROWS = {"W1": 1_000_000, "W2": 250_000}
QUICK = {"rows": {"W1": 20_000, "W2": 20_000}, "rounds": 2}


def run(workload: Workload, count: int, rounds: int, names: list[str]) -> tuple[Race, list[float]]:
    """Let the contestants race; return it with the machine's limit in samples a second, measured every round."""
    say(f"{workload.name}: {count:,} rows are drawn")
    rows = make_rows(count)
    limits, bounds = Limits(workload, rows), []
    with race(workload, rows, dict.fromkeys(names, count)) as running:
        for turn in range(1, rounds + 1):
            title = f"{workload.name}, round {turn}/{rounds}"
            bounds.append(limits.measure().samples)
            say(f"{title}: the limit is {digits(bounds[-1])} samples/s")
            running.run_round(title)
    return running, bounds


def rows_of(running: Race, bounds: list[float]) -> list[list[str]]:
    """Return one line of the table a contestant."""
    lines = []
    for name, rates in running.rates.items():
        if name not in running.workers:
            continue
        ratios = ["1" if name == other else spread(running.ratios(name, other)) for other in (RECHUB, DEEPCTR)]
        share = median(rate / bound for rate, bound in zip(rates, bounds, strict=True))
        lines.append([name, spread(rates), *ratios, f"{digits(100 * share)} %", megabytes(running.memory[name])])
    return lines


def part(workload: Workload, count: int, rounds: int, names: list[str]) -> str:
    """Return one workload's table, with a line for every contestant that could not take part."""
    running, bounds = run(workload, count, rounds, names)
    title = (
        f"### {workload.name}: width {workload.dim}, experts {workload.experts} x {list(workload.expert_dims)}, "
        f"towers {list(workload.tower_dims)}, batch {workload.batch_size:,}\n\n"
        f"{count:,} rows an epoch; the machine's limit was {spread(bounds)} samples/s; {running.company()}.\n\n"
    )
    header = ["", "samples/s", f"times {RECHUB}", f"times {DEEPCTR}", "of the limit", "peak memory"]
    return title + table(header, rows_of(running, bounds)) + running.failure_lines()


def section(
    rows: dict[str, int] | None = None,
    rounds: int = 3,
    names: list[str] | None = None,
    workloads: Sequence[str] = tuple(WORKLOADS),
) -> str:
    """Measure the workloads and return the section."""
    counts = ROWS | (rows or {})
    parts = [part(WORKLOADS[name], counts[name], rounds, names or list(ENTRIES)) for name in workloads]
    return (
        f"## Training speed\n\n`{COMMAND}`; {machine()}, {libraries()}; median of {rounds} rounds and their range, "
        "ratios taken round by round.\n\n"
        "Every contestant trains the same MMoE on the same rows with Adam, in a process of its own, whole epochs in "
        "turn: loading, forward, backward, optimiser. Encoding the raw table, which Gatewise does once a fit, is not "
        f"timed. The tables of {RECHUB} and {DEEPCTR} have the workload's vocabulary sizes, those of Gatewise and of "
        '"ids that occur" one row a value in the training rows. Peak memory is that of the whole process, with '
        "interpreter, libraries and rows.\n\n" + "\n".join(parts)
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    for name, count in ROWS.items():
        parser.add_argument(f"--{name.lower()}-rows", type=int, default=count)
    parser.add_argument("--names", nargs="+", choices=list(ENTRIES), default=list(ENTRIES))
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    given = parser.parse_args()
    print(section({"W1": given.w1_rows, "W2": given.w2_rows}, given.rounds, given.names, given.workloads))


if __name__ == "__main__":
    main()
