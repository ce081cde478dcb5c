"""Draw the pictures of docs/trunks into docs/images/trunks: two tasks, input on the left, towers on the right.

python scripts/trunk_pictures.py
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "trunks"

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 132, 46, 62, 20, 20
FILLS = {
    "input": "#eef2f7",
    "shared": "#dbeafe",
    "a": "#dcf3e4",
    "b": "#fbe3ea",
    "gate": "#ffedd5",
    "mix": "#ffffff",
}
INK, QUIET, ORANGE = "#33415c", "#44506b", "#c2571a"


@dataclass(frozen=True)
class Box:
    """One part of a model: its name for arrows, what is written in it, and the colour of its owner."""

    name: str
    title: str
    note: str = ""
    kind: str = "shared"


@dataclass(frozen=True)
class Picture:
    """Columns of boxes from left to right and arrows between them.

    Attributes:
        file: name without suffix.
        alt: what the picture says, for those who cannot see it.
        columns: boxes from top to bottom.
        arrows: ``"from > to"``; ``"from ~ to"`` is a gate's weight; ``"from | to"`` passes values and no gradient.
    """

    file: str
    alt: str
    columns: tuple[tuple[Box, ...], ...]
    arrows: tuple[str, ...]

    def svg(self) -> str:
        """Return the picture."""
        tallest = max(len(column) for column in self.columns)
        width = 2 * MARGIN + len(self.columns) * (WIDTH + GAP_X) - GAP_X
        height = 2 * MARGIN + tallest * (HEIGHT + GAP_Y) - GAP_Y
        places = self._places(height)
        lines = [_arrow(text, places) for text in self.arrows]
        boxes = [_box(box, *places[box.name]) for column in self.columns for box in column]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                f'font-family="Helvetica, Arial, sans-serif" role="img" aria-label="{escape(self.alt)}">',
                f"<defs>{_marker('flow', INK)}{_marker('gate', ORANGE)}</defs>",
                f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
                *lines,
                *boxes,
                "</svg>\n",
            ]
        )

    def _places(self, height: int) -> dict[str, tuple[float, float]]:
        """Return the upper left corner of every box; columns are centred."""
        places = {}
        for i, column in enumerate(self.columns):
            top = (height - len(column) * (HEIGHT + GAP_Y) + GAP_Y) / 2
            for j, box in enumerate(column):
                places[box.name] = MARGIN + i * (WIDTH + GAP_X), top + j * (HEIGHT + GAP_Y)
        return places


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6.5" markerHeight="6.5" '
        f'orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="{colour}"/></marker>'
    )


def _box(box: Box, left: float, top: float) -> str:
    middle, centre = left + WIDTH / 2, top + HEIGHT / 2
    stroke = ORANGE if box.kind == "gate" else INK
    title_at = centre - 3 if box.note else centre + 5
    drawn = (
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{FILLS[box.kind]}" '
        f'stroke="{stroke}" stroke-width="1.2"/>'
        f'<text x="{middle}" y="{title_at}" font-size="13.5" text-anchor="middle" font-weight="600" fill="#1d2740">'
        f"{escape(box.title)}</text>"
    )
    if not box.note:
        return drawn
    return drawn + (
        f'<text x="{middle}" y="{centre + 14}" font-size="11" text-anchor="middle" fill="{QUIET}">'
        f"{escape(box.note)}</text>"
    )


def _arrow(text: str, places: dict[str, tuple[float, float]]) -> str:
    start, kind, end = text.split()
    (x1, y1), (x2, y2) = places[start], places[end]
    if x1 == x2:
        # within a column: from edge to edge, downwards or upwards
        down = y2 > y1
        x, y1, y2 = x1 + WIDTH / 2, y1 + HEIGHT * down, y2 + HEIGHT * (not down)
        path = f"M{x},{y1} L{x},{y2}"
    else:
        x1, y1, y2 = x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2
        bend = min(GAP_X, (x2 - x1) / 2)
        path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
    colour, marker = (ORANGE, "gate") if kind == "~" else (INK, "flow")
    dashes = {"~": ' stroke-dasharray="5 3"', "|": ' stroke-dasharray="1.5 4"'}.get(kind, "")
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"{dashes} marker-end="url(#{marker})"/>'


def towers() -> tuple[Box, ...]:
    """Return the last column of every picture."""
    return Box("ta", "tower A", "task A", "a"), Box("tb", "tower B", "task B", "b")


X = Box("x", "input x", "embeddings, numbers", "input")
MIXED = Box("ma", "Σ  for A", "", "mix"), Box("mb", "Σ  for B", "", "mix")
TO_TOWERS = ("ma > ta", "mb > tb")

PICTURES = (
    Picture(
        "single_task",
        "Every task has its own bottom and tower over the common input.",
        ((X,), (Box("ba", "bottom A", "", "a"), Box("bb", "bottom B", "", "b")), towers()),
        ("x > ba", "x > bb", "ba > ta", "bb > tb"),
    ),
    Picture(
        "shared_bottom",
        "One bottom feeds the towers of all tasks.",
        ((X,), (Box("bottom", "bottom", "shared"),), towers()),
        ("x > bottom", "bottom > ta", "bottom > tb"),
    ),
    Picture(
        "mmoe",
        "Shared experts; the gate of each task weighs them for the task's tower.",
        (
            (X,),
            (
                Box("ga", "gate A", "softmax", "gate"),
                Box("e1", "expert 1"),
                Box("e2", "expert 2"),
                Box("e3", "expert 3"),
                Box("gb", "gate B", "softmax", "gate"),
            ),
            MIXED,
            towers(),
        ),
        (
            *("x > ga", "x > e1", "x > e2", "x > e3", "x > gb"),
            *("e1 > ma", "e2 > ma", "e3 > ma", "e1 > mb", "e2 > mb", "e3 > mb"),
            *("ga ~ ma", "gb ~ mb", *TO_TOWERS),
        ),
    ),
    Picture(
        "omoe",
        "Shared experts mixed by one gate; all towers read the same mixture.",
        (
            (X,),
            (Box("g", "gate", "softmax", "gate"), Box("e1", "expert 1"), Box("e2", "expert 2"), Box("e3", "expert 3")),
            (Box("m", "Σ", "for all tasks", "mix"),),
            towers(),
        ),
        ("x > g", "x > e1", "x > e2", "x > e3", "e1 > m", "e2 > m", "e3 > m", "g ~ m", "m > ta", "m > tb"),
    ),
    Picture(
        "ple",
        "Every level has experts of each task and shared ones; a task's gate mixes its own with the shared ones.",
        (
            (X,),
            (
                Box("ga", "gate A", "own + shared", "gate"),
                Box("ea", "experts A", "own", "a"),
                Box("es", "experts", "shared"),
                Box("eb", "experts B", "own", "b"),
                Box("gb", "gate B", "own + shared", "gate"),
            ),
            (
                Box("za", "z of A", "", "mix"),
                Box("zs", "z shared", "gate over all", "mix"),
                Box("zb", "z of B", "", "mix"),
            ),
            (
                Box("ga2", "gate A", "own + shared", "gate"),
                Box("ea2", "experts A", "own", "a"),
                Box("es2", "experts", "shared"),
                Box("eb2", "experts B", "own", "b"),
                Box("gb2", "gate B", "own + shared", "gate"),
            ),
            MIXED,
            towers(),
        ),
        (
            *("x > ga", "x > ea", "x > es", "x > eb", "x > gb", "ga ~ za", "gb ~ zb"),
            *("ea > za", "es > za", "ea > zs", "es > zs", "eb > zs", "es > zb", "eb > zb"),
            *("za > ga2", "za > ea2", "zs > es2", "zb > eb2", "zb > gb2", "ga2 ~ ma", "gb2 ~ mb"),
            *("ea2 > ma", "es2 > ma", "es2 > mb", "eb2 > mb", *TO_TOWERS),
        ),
    ),
    Picture(
        "cross_stitch",
        "Each task has its own layers; after every layer a learnt matrix mixes the tasks' activations.",
        (
            (X,),
            (Box("a1", "layer 1, A", "", "a"), Box("b1", "layer 1, B", "", "b")),
            (Box("s1", "stitch", "T x T, near identity"),),
            (Box("a2", "layer 2, A", "", "a"), Box("b2", "layer 2, B", "", "b")),
            (Box("s2", "stitch", "T x T, near identity"),),
            towers(),
        ),
        (
            *("x > a1", "x > b1", "a1 > s1", "b1 > s1", "s1 > a2", "s1 > b2"),
            *("a2 > s2", "b2 > s2", "s2 > ta", "s2 > tb"),
        ),
    ),
    Picture(
        "aitm",
        "The first task's vector is transferred to the next task, which attends to it and to its own.",
        (
            (X,),
            (Box("qa", "bottom A", "q of A", "a"), Box("qb", "bottom B", "q of B", "b")),
            (Box("za", "z of A", "= q of A", "a"), Box("p", "transfer", "p = g(z of A)")),
            (Box("att", "attention", "over q and p", "gate"),),
            towers(),
        ),
        ("x > qa", "x > qb", "qa > za", "za > p", "p > att", "qb > att", "za > ta", "att > tb"),
    ),
    Picture(
        "adatt",
        "Every task's fusion weighs the experts of all tasks, and adds what its own experts say.",
        (
            (X,),
            (
                Box("ga", "gate A", "softmax", "gate"),
                Box("ea", "experts A", "own", "a"),
                Box("es", "experts", "shared, optional"),
                Box("eb", "experts B", "own", "b"),
                Box("gb", "gate B", "softmax", "gate"),
            ),
            (Box("ma", "Σ + own", "fusion of A", "mix"), Box("mb", "Σ + own", "fusion of B", "mix")),
            towers(),
        ),
        (
            *("x > ga", "x > ea", "x > es", "x > eb", "x > gb", "ga ~ ma", "gb ~ mb"),
            *("ea > ma", "es > ma", "eb > ma", "ea > mb", "es > mb", "eb > mb", *TO_TOWERS),
        ),
    ),
    Picture(
        "home",
        "Feature gates choose each expert's input; the first level mixes by task group, the second by task.",
        (
            (X,),
            (Box("f", "feature gates", "one an expert", "gate"),),
            (
                Box("e1", "experts", "of group 1", "a"),
                Box("es", "experts", "shared"),
                Box("e2", "experts", "of group 2", "b"),
            ),
            (
                Box("z1", "z of group 1", "+ self-gate", "mix"),
                Box("zs", "z shared", "", "mix"),
                Box("z2", "z of group 2", "+ self-gate", "mix"),
            ),
            (
                Box("ea", "experts A", "own", "a"),
                Box("eg1", "experts", "of group 1", "a"),
                Box("es2", "experts", "shared"),
                Box("eg2", "experts", "of group 2", "b"),
                Box("eb", "experts B", "own", "b"),
            ),
            (Box("ma", "Σ + self-gate", "for A", "mix"), Box("mb", "Σ + self-gate", "for B", "mix")),
            towers(),
        ),
        (
            *("x > f", "f > e1", "f > es", "f > e2", "e1 > z1", "es > z1", "es > zs", "es > z2", "e2 > z2"),
            *("z1 > ea", "z1 > eg1", "zs > es2", "z2 > eg2", "z2 > eb"),
            *("ea > ma", "eg1 > ma", "es2 > ma", "es2 > mb", "eg2 > mb", "eb > mb", *TO_TOWERS),
        ),
    ),
    Picture(
        "stem",
        "Every task has embeddings and experts of its own beside shared ones; other tasks' experts pass values only.",
        (
            (
                Box("xa", "embeddings A", "own", "a"),
                Box("xs", "embeddings", "shared"),
                Box("xb", "embeddings B", "own", "b"),
            ),
            (
                Box("ga", "gate A", "all experts", "gate"),
                Box("ea", "experts A", "own", "a"),
                Box("es", "experts", "shared"),
                Box("eb", "experts B", "own", "b"),
                Box("gb", "gate B", "all experts", "gate"),
            ),
            MIXED,
            towers(),
        ),
        (
            *("xa > ga", "xa > ea", "xs > es", "xb > eb", "xb > gb", "ga ~ ma", "gb ~ mb"),
            *("ea > ma", "es > ma", "eb | ma", "ea | mb", "es > mb", "eb > mb", *TO_TOWERS),
        ),
    ),
    Picture(
        "pepnet",
        "A gate of the scenario scales the embeddings; gates of user and item priors scale every layer of each task.",
        (
            (Box("s", "scenario", "", "input"), X, Box("p", "priors", "user, item", "input")),
            (
                Box("ep", "EPNet gate", "2 sigmoid", "gate"),
                Box("o", "x ⊙ gate", "", "mix"),
                Box("pp", "PPNet gates", "task by layer", "gate"),
            ),
            (Box("a1", "layer 1, A", "⊙ gate", "a"), Box("b1", "layer 1, B", "⊙ gate", "b")),
            (Box("a2", "layer 2, A", "⊙ gate", "a"), Box("b2", "layer 2, B", "⊙ gate", "b")),
            towers(),
        ),
        (
            *("s > ep", "x | ep", "ep ~ o", "x > o", "p > pp", "o | pp", "o > a1", "o > b1"),
            *("pp ~ a1", "pp ~ b1", "a1 > a2", "b1 > b2", "a2 > ta", "b2 > tb"),
        ),
    ),
    Picture(
        "mose",
        "Sequence experts read the behaviour sequence; the gate of each task weighs them for its tower.",
        (
            (Box("seq", "sequence", "behaviours in order", "input"), X),
            (
                Box("ga", "gate A", "softmax", "gate"),
                Box("e1", "LSTM 1", "expert"),
                Box("e2", "LSTM 2", "expert"),
                Box("e3", "LSTM 3", "expert"),
                Box("gb", "gate B", "softmax", "gate"),
            ),
            MIXED,
            towers(),
        ),
        (
            *("seq > e1", "seq > e2", "seq > e3", "x > ga", "x > gb", "ga ~ ma", "gb ~ mb"),
            *("e1 > ma", "e2 > ma", "e3 > ma", "e1 > mb", "e2 > mb", "e3 > mb", *TO_TOWERS),
        ),
    ),
    Picture(
        "facet_aware_moe",
        "The embedding of the facet in play joins the text's vector in every expert; one gate weighs the experts.",
        (
            (Box("t", "text vector", "encoder's [CLS]", "input"), Box("f", "facet", "embedding", "input")),
            (
                Box("g", "gate", "softmax", "gate"),
                Box("e1", "expert 1", "several heads"),
                Box("e2", "expert 2", "several heads"),
                Box("e3", "expert 3", "several heads"),
            ),
            (Box("m", "Σ", "for all tasks", "mix"),),
            towers(),
        ),
        (
            *("t > g", "t > e1", "t > e2", "t > e3", "f > e1", "f > e2", "f > e3"),
            *("g ~ m", "e1 > m", "e2 > m", "e3 > m", "m > ta", "m > tb"),
        ),
    ),
)


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        (FOLDER / f"{picture.file}.svg").write_text(picture.svg(), encoding="utf-8")
    print(f"{len(PICTURES)} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
