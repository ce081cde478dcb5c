"""The pictures of the section: the map, and how final losses are spread where they are most like the paper's."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from grid import BATCHES, COSINES, RATES, ROWS, Grid
from models import KINDS
from points import Point, point, points
from reading import MMOE, NAMES, OMOE, SHARED
from summary import FAILED, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

STYLE: dict[str, Any] = {
    "font.size": 9,
    "svg.hashsalt": "gatewise",
    "axes.edgecolor": "#8a94a6",
    "text.color": "#1d2740",
    "axes.labelcolor": "#1d2740",
    "xtick.color": "#44506b",
    "ytick.color": "#44506b",
}
COLOURS = {"mmoe": "#1d5fbf", "omoe": "#c2571a", "shared_bottom": "#5f6b7a"}
DARK, END = 0.8, 1.5  # logarithms of ratios: where cells become dark, and where colours end
LAST = 0.5  # runs above it are counted with it
BINS = np.linspace(0.0, LAST, 26)


def draw(chosen: Grid, results: Results, folder: Path) -> None:
    """Draw both pictures from what was run, on white, so that they can be read in light and dark."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        print("no pictures: they need matplotlib, pip install 'gatewise[report]'", file=sys.stderr)
        return
    with mpl.rc_context(STYLE):
        of_map, of_losses = Figure((9.2, 6.4), layout="constrained"), Figure((9.2, 2.8), layout="constrained")
        _fill_map(of_map, points(chosen.settings[0], results))
        _fill_losses(of_losses, [known for at in chosen.figures[:: len(KINDS)] if (known := point(at, results))])
        for name, figure in (("paper_map", of_map), ("paper_losses", of_losses)):
            figure.savefig(folder / f"{name}.svg", facecolor="white", metadata={"Date": None})


def _fill_map(figure: Figure, found: Sequence[Point]) -> None:
    """One panel a comparison, kind of data and cosine: MMoE's mean over another model's by rate and batch."""
    lines = [(other, rows) for other in (SHARED, OMOE) for rows in ROWS]
    axes = figure.subplots(len(lines), len(COSINES), sharex=True, sharey=True)
    for (other, rows), row in zip(lines, axes, strict=True):
        for cosine, panel in zip(COSINES, row, strict=True):
            here = {(p.at.batch, p.at.lr): p for p in found if (p.at.rows, p.at.cosine) == (rows, cosine)}
            image = _panel(panel, here, other)
        data = "fresh rows" if rows is None else f"{rows:,} rows"
        row[0].set_ylabel(f"to {NAMES[KINDS[other]]},\n{data}\n\nbatch")
    for cosine, panel in zip(COSINES, axes[0], strict=True):
        panel.set_title(f"cosine {cosine:g}", fontsize=10)
    for panel in axes[-1]:
        panel.set_xlabel("rate")
    bar = figure.colorbar(image, ax=axes, shrink=0.6, ticks=[-1, 0, 1], aspect=30)
    bar.ax.set_yticklabels(["half", "equal", "twice"])
    figure.suptitle(
        "MMoE's mean final loss as a multiple of another model's (hatched: every run of both fails)", fontsize=11
    )


def _panel(panel: Axes, here: Mapping[tuple[int, float], Point], other: int) -> AxesImage:
    ratios = np.full((len(BATCHES), len(RATES)), np.nan)
    for (i, batch), (j, lr) in itertools.product(enumerate(BATCHES), enumerate(RATES)):
        known = here.get((batch, lr))
        if known is None:
            continue
        pair = known.found[MMOE], known.found[other]
        ratios[i, j] = pair[0].mean / pair[1].mean
        ink = "#ffffff" if abs(np.log2(ratios[i, j])) > DARK else "#1d2740"
        panel.text(j, i, f"{ratios[i, j]:.2f}", ha="center", va="center", color=ink, fontsize=9.5, zorder=3)
        if all(summary.failed == len(summary.losses) for summary in pair):
            panel.bar(j, 1, 1, i - 0.5, fill=False, hatch="////", edgecolor="#ffffff99", linewidth=0)
    panel.set_xticks(range(len(RATES)), [f"{lr:g}" for lr in RATES])
    panel.set_yticks(range(len(BATCHES)), [str(batch) for batch in BATCHES])
    panel.tick_params(length=0)
    return panel.imshow(np.log2(ratios), cmap="RdBu_r", vmin=-END, vmax=END, aspect="auto")


def _fill_losses(figure: Figure, found: Sequence[Point]) -> None:
    """One panel a cosine: how many runs of each model end where."""
    axes = dict(zip(COSINES, figure.subplots(1, len(COSINES), sharex=True, sharey=True), strict=True))
    for cosine, panel in axes.items():
        panel.set_title(f"cosine {cosine:g}", fontsize=10)
        panel.set_xlabel("final loss")
        panel.spines[["top", "right"]].set_visible(False)
        panel.axvline(FAILED, color="#8a94a6", linewidth=0.8, linestyle="--")
    for known in found:
        for kind, summary in zip(KINDS, known.found, strict=True):
            shown, shares = np.minimum(summary.losses, LAST), np.full(len(summary.losses), 100 / len(summary.losses))
            look = {"color": COLOURS[kind], "weights": shares}
            axes[known.at.cosine].hist(shown, BINS, histtype="stepfilled", alpha=0.15, **look)
            axes[known.at.cosine].hist(shown, BINS, histtype="step", linewidth=1.5, label=NAMES[kind], **look)
    first, *_, last = axes.values()
    first.set_ylabel("share of runs, %")
    if found:
        last.legend(*axes[found[0].at.cosine].get_legend_handles_labels(), frameon=False)
