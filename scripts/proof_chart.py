"""Draw docs/images/proof.svg and proof.zh-CN.svg: Gatewise beside the libraries that people use, from docs/results.

python scripts/proof_chart.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from results_page import page_of

from gatewise.plots.fonts import in_any_script

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
OURS, OTHERS = "#3949ab", "#b0b7c3"
TITLES = {
    "": (
        "training, narrow MMoE\nthousand rows/s",
        "training, wide MMoE\nthousand rows/s",
        "HTTP, 200 candidates\nrequests/s",
    ),
    ".zh-CN": ("训练，窄 MMoE：千行/秒", "训练，宽 MMoE：千行/秒", "HTTP 服务，200 个候选：请求/秒"),
}
NAIVE = {"": "FastAPI, hand-written", ".zh-CN": "手写 FastAPI"}


def figures(page: str, heading: str) -> dict[str, float]:
    """Return the first number of every row of the first table below a heading."""
    text = page_of(page).read_text(encoding="utf-8").split(f"\n{heading}", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| ([^|]+?) \| ([\d,.]+)", text, re.MULTILINE)
    return {name: float(number.replace(",", "")) for name, number in rows}


def shown(language: str) -> list[dict[str, float]]:
    """Return the bars of the three panels."""
    narrow, wide, served = figures("speed", "### W1: "), figures("speed", "### W2: "), figures("serving", "## Serving")
    peers = ("Gatewise", "torch-rechub", "DeepCTR-Torch")
    training = [{name: found[name] / 1000 for name in peers} for found in (narrow, wide)]
    return [*training, {"Gatewise": served["candidates as ids of the item table"], NAIVE[language]: served["naive"]}]


@in_any_script
def draw(ax: Axes, title: str, bars: Mapping[str, float]) -> Axes:
    """Draw one panel: a bar per library, with its number."""
    names, values = [*bars][::-1], [*bars.values()][::-1]
    drawn = ax.barh(names, values, color=[OURS if name == "Gatewise" else OTHERS for name in names])
    ax.bar_label(drawn, [f"{value:,.0f}" for value in values], padding=4, fontsize=9)
    ax.set_title(title, fontsize=10)
    ax.set_xlim(0, max(values) * 1.25)
    ax.xaxis.set_visible(False)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.tick_params(length=0, labelsize=9)
    return ax


def chart(language: str) -> None:
    """Draw the three panels and write them."""
    figure, panels = plt.subplots(1, 3, figsize=(11, 1.9), layout="constrained")
    for ax, title, bars in zip(panels, TITLES[language], shown(language), strict=True):
        draw(ax, title, bars)
    figure.patch.set_facecolor("white")
    figure.savefig(IMAGES / f"proof{language}.svg", metadata={"Date": None})


def main() -> None:
    mpl.rcParams |= {"svg.hashsalt": "gatewise", "svg.fonttype": "none"}
    for language in TITLES:
        chart(language)


if __name__ == "__main__":
    main()
