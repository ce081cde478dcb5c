"""Write the Chinese twins of diagrams in docs/images: the same lines and boxes, with translated words.

python scripts/diagrams_in_chinese.py
"""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SUFFIX = ".zh-CN.svg"
LABEL = re.compile(r">([^<>]*)</text>")
WORDS = {
    "+ self-gate": "+ 自门控",
    "2 sigmoid": "2 sigmoid",
    "EPNet gate": "EPNet 门控",
    "PPNet gates": "PPNet 门控",
    "T x T, near identity": "T x T，接近单位阵",
    "all experts": "所有专家",
    "any Arrow source": "任意 Arrow 来源",
    "attention": "注意力",
    "behaviours in order": "按时间排列的行为",
    "bottom": "底层",
    "declare, encode": "声明、编码",
    "embedding": "嵌入",
    "embeddings": "嵌入",
    "embeddings, numbers": "嵌入、数值",
    "encoder": "编码器",
    "encoder's [CLS]": "编码器的 [CLS]",
    "expert": "专家",
    "experts": "专家",
    "facet": "方面",
    "feature gates": "特征门控",
    "for all tasks": "供所有任务使用",
    "gate": "门控",
    "gate over all": "对全部的门控",
    "gates": "门控",
    "identity, own unit": "恒等，标签的单位",
    "ids, lists, floats": "ID、列表、浮点数",
    "input layer": "输入层",
    "input x": "输入 x",
    "judge, serve": "评估、服务",
    "learn: the trunk shares": "学习：主干负责共享",
    "one an expert": "每个专家一个",
    "over q and p": "对 q 和 p",
    "own": "专属",
    "own + shared": "专属 + 共享",
    "priors": "先验",
    "rating": "评分",
    "scenario": "场景",
    "sequence": "序列",
    "several heads": "多头",
    "shared": "共享",
    "shared, optional": "共享，可选",
    "softmax(W x): one gate a task": "softmax(W x)：每个任务一个门控",
    "stitch": "缝合",
    "table": "表",
    "task by layer": "任务 × 层",
    "text vector": "文本向量",
    "tower: click": "塔：点击",
    "tower: rating": "塔：评分",
    "transfer": "传递",
    "user, item": "用户、物品",
    "x ⊙ gate": "x ⊙ 门控",
    "z shared": "共享的 z",
    "Σ + own": "Σ + 专属",
    "Σ + self-gate": "Σ + 自门控",
    "⊙ gate": "⊙ 门控",
}
PARTS = (
    (r"layer (\d), ([A-Z])", r"第 \1 层，\2"),
    (r"(expert|task|tower|gate|bottom|experts|embeddings|fusion of) (\w)", None),
    (r"of group (\d)", r"第 \1 组的"),
    (r"z of group (\d)", r"第 \1 组的 z"),
    (r"(= )?([qz]) of ([A-Z])", r"\1\3 的 \2"),
    (r"p = g\(z of A\)", "p = g(A 的 z)"),
    (r"(Σ  )?for ([A-Z])", r"\1供 \2"),
)
NOUNS = {
    "expert": "专家",
    "task": "任务",
    "tower": "塔",
    "gate": "门控",
    "bottom": "底层",
    "experts": "专家",
    "embeddings": "嵌入",
    "fusion of": "融合",
}


def translated(label: str) -> str:
    """Return a label in Chinese.

    Raises:
        KeyError: it has words that stand in no list.
    """
    if label in WORDS:
        return WORDS[label]
    for pattern, words in PARTS:
        found = re.fullmatch(pattern, label)
        if found and words is None:
            return f"{NOUNS[found[1]]} {found[2]}"
        if found and words is not None:
            return found.expand(words)
    if not re.search(r"[a-z]{2}", label) or re.fullmatch(r"softmax|sigmoid|LSTM \d|p\(click\)", label):
        return label
    raise KeyError(label)


def sources() -> list[Path]:
    """Return the diagrams that have words."""
    return sorted(
        path
        for path in (IMAGES / "architecture.svg", *(IMAGES / "trunks").glob("*.svg"))
        if not path.name.endswith(SUFFIX)
    )


def twin(path: Path) -> Path:
    """Return where the Chinese twin of a diagram lies."""
    return path.with_name(path.stem + SUFFIX)


def in_chinese(path: Path) -> str:
    """Return a diagram with its labels in Chinese."""
    return LABEL.sub(
        lambda found: f">{escape(translated(unescape(found[1])))}</text>", path.read_text(encoding="utf-8")
    )


if __name__ == "__main__":
    for source in sources():
        twin(source).write_text(in_chinese(source), encoding="utf-8")
        print(twin(source).relative_to(IMAGES))
