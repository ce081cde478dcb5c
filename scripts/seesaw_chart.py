"""Write the verdicts of a kept comparison into the READMEs, and draw docs/images/seesaw.svg and seesaw.zh-CN.svg.

    gatewise compare src/gatewise/recipes/movielens.yaml --also ple,stem -o RUN
    python scripts/seesaw_chart.py [RUN/comparison.json]

A comparison that is given is kept as benchmarks/kept/movielens_comparison.json; without one the kept one is read.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from gatewise import plots
from gatewise.analysis import Verdict, seesaw
from gatewise.plots.fonts import in_any_script
from gatewise.report.comparison import within_seeds

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
KEPT = ROOT / "benchmarks" / "kept" / "movielens_comparison.json"
BLOCK = re.compile(r"(<!-- verdicts: begin -->\n).*?(<!-- verdicts: end -->)", re.DOTALL)
HEADINGS = {
    "": ("task", "model", "change", "95 % interval", "verdict"),
    ".zh-CN": ("任务", "模型", "变化", "95% 区间", "结论"),
}
WORDS = {
    "": {},
    ".zh-CN": {
        "shared bottom": "共享底层",
        "helps": "有益",
        "hurts": "有害",
        "no evidence": "没有证据",
        "not trained to the end": "没有训练到头",
        "to": "至",
        ", within seeds": "，不超过种子之间的差别",
    },
}
AXIS = {"": "change of AUC, of R2", ".zh-CN": "AUC、R2 的变化"}


def kept() -> dict[str, Any]:
    """Return the kept comparison."""
    found: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def in_language(word: str, language: str) -> str:
    """Return a word of the comparison in a page's language."""
    return WORDS[language].get(word, word)


def verdicts(found: dict[str, Any]) -> list[Verdict]:
    """Return the verdicts by the tasks' summary metrics."""
    return [Verdict(**each) for each in found["verdicts"]]


def table(found: dict[str, Any], language: str) -> str:
    """Return the verdicts as a table."""
    lines = ["| " + " | ".join(HEADINGS[language]) + " |", "| --- | --- | ---: | --- | --- |"]
    before = ""
    for each in verdicts(found):
        task = "" if each.output == before else f"{each.output}: {each.metric}"
        before = each.output
        interval = f"{each.low:+.4f} {in_language('to', language)} {each.high:+.4f}"
        words = (in_language(each.contestant, language), f"{each.change:+.4f}", interval)
        word = in_language(each.verdict, language)
        if each.verdict in ("helps", "hurts") and within_seeds(each):
            word += in_language(", within seeds", language)
        lines.append(f"| {task} | {' | '.join(words)} | {word} |")
    return "\n".join(lines) + "\n"


@in_any_script
def on_axes(found: dict[str, Any], language: str, *, ax: Axes) -> Axes:
    """Draw the points and the names of the axes."""
    translated = [each._replace(contestant=in_language(each.contestant, language)) for each in verdicts(found)]
    plots.seesaw(seesaw(translated), ax=ax)
    ax.set_ylabel(AXIS[language])
    return ax


def draw(found: dict[str, Any], language: str) -> None:
    """Draw every model's change on every task."""
    figure, ax = plt.subplots(figsize=(7.2, 3.0), layout="constrained")
    on_axes(found, language, ax=ax)
    figure.patch.set_facecolor("white")
    figure.savefig(IMAGES / f"seesaw{language}.svg", metadata={"Date": None})


def main() -> None:
    """Write pictures and tables."""
    mpl.rcParams |= {"svg.hashsalt": "gatewise", "svg.fonttype": "none"}
    if sys.argv[1:]:
        KEPT.parent.mkdir(exist_ok=True)
        shutil.copyfile(sys.argv[1], KEPT)
    for language in HEADINGS:
        draw(kept(), language)
        path = ROOT / f"README{language}.md"
        text = path.read_text(encoding="utf-8")
        made = table(kept(), language)
        path.write_text(BLOCK.sub(lambda match, made=made: f"{match[1]}{made}{match[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
