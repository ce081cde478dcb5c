"""Expressions are read as Python's grammar reads them, are written as they are read, and can do no harm."""

from __future__ import annotations

import ast
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.declare import Fusion
from gatewise.declare.fusion.parser import DEPTH, LENGTH, PARTS, parse
from gatewise.declare.fusion.tree import Call, Column, Negative, Number, Operation, written
from gatewise.errors import DeclarationError

A, B, C = Column("a"), Column("b"), Column("c")
TREES = {
    "a": A,
    "a + b * c": Operation("+", A, Operation("*", B, C)),
    "(a + b) * c": Operation("*", Operation("+", A, B), C),
    "a - b - c": Operation("-", Operation("-", A, B), C),
    "a - (b - c)": Operation("-", A, Operation("-", B, C)),
    "a / b * c": Operation("*", Operation("/", A, B), C),
    "a^b^c": Operation("^", A, Operation("^", B, C)),
    "(a^b)^c": Operation("^", Operation("^", A, B), C),
    "-a^b": Negative(Operation("^", A, B)),
    "-a * b": Operation("*", Negative(A), B),
    "a^-b": Operation("^", A, Negative(B)),
    "--a": Negative(Negative(A)),
    "-2 * a": Operation("*", Number(-2.0), A),
    "(-2)^a": Operation("^", Number(-2.0), A),
    "-2^a": Negative(Operation("^", Number(2.0), A)),
    "log(a)": Call("log", (A,)),
    "clip(a, 0, 1)": Call("clip", (A, Number(0.0), Number(1.0))),
    "max(a, b, c)": Call("max", (A, B, C)),
    "log + log(log)": Operation("+", Column("log"), Call("log", (Column("log"),))),
    "device[smart tv] + revenue[>0]": Operation("+", Column("device[smart tv]"), Column("revenue[>0]")),
    "`watch-time` * 2": Operation("*", Column("watch-time"), Number(2.0)),
    "`a``b`": Column("a`b"),
    "`log`": Column("log"),
    "größe_1": Column("größe_1"),
    ".5 * a + 2. * b + 1e-3 * c": Operation(
        "+",
        Operation("+", Operation("*", Number(0.5), A), Operation("*", Number(2.0), B)),
        Operation("*", Number(0.001), C),
    ),
}


@pytest.mark.parametrize("text", TREES)
def test_what_an_expression_means(text):
    assert parse(text) == TREES[text]
    if "[" not in text:
        assert parse("\n ".join(["", *text.split(" "), ""])) == TREES[text]
    assert parse(written(TREES[text])) == TREES[text]


@pytest.mark.parametrize(
    ("text", "complaint"),
    {
        "": "expected a number, a name or '(' at character 1, found the end",
        "a +": "expected a number, a name or '(' at character 4, found the end",
        "a b": "expected an operator or the end at character 3, found 'b'",
        "a ** 2": "expected a number, a name or '(' at character 4, found '*'; a power is written a^b",
        "(a + b": "expected an operator or ')' at character 7, found the end",
        "a)": "expected an operator or the end at character 2, found ')'",
        "max(a; b)": "expected an operator, ',' or ')' at character 6, found ';'",
        "max()": "expected a number, a name or '(' at character 5, found ')'",
        "lg(a)": "expected a function at character 1, found 'lg'; did you mean 'log'?",
        "a + clik(b)": "expected a function at character 5, found 'clik'; did you mean 'clip'?",
        "clip(a, 1)": "expected 3 arguments at character 1 for 'clip', found 2",
        "min(a)": "expected 2 arguments or more at character 1 for 'min', found 1",
        "log(a, b)": "expected 1 argument at character 1 for 'log', found 2",
        "1e31 * a": "expected a number up to 1.26765e+30 at character 1, found '1e31'",
        "1e999 * a": "expected a number up to 1.26765e+30 at character 1, found '1e999'",
        "`a": "expected a number, a name or '(' at character 1, found '`'; a quoted name ends with another `",
        "``": "expected a number, a name or '(' at character 1, found '`'; a quoted name ends with another `",
        "`a`(b)": "expected an operator or the end at character 4, found '('",
        "2 + 3": "expected the name of a prediction, found numbers alone",
        "+a": "expected a number, a name or '(' at character 1, found '+'",
        "1.5.2 * a": "expected an operator or the end at character 4, found '.2'",
        "a, b": "expected an operator or the end at character 2, found ','",
    }.items(),
)
def test_a_mistake_is_one_line_with_its_place(text, complaint):
    with pytest.raises(DeclarationError) as caught:
        Fusion.parse(text)
    assert str(caught.value) == f"fusion: {complaint}"


@pytest.mark.parametrize(
    "text",
    [
        "a.__class__",
        "().__class__.__bases__",
        "__import__('os')",
        "__import__(a)",
        "eval(a)",
        "a[b](c)",
        "a if b else c",
        "a == b",
        "a = 1",
        "lambda: a",
        "[a for a in b]",
        "{a}",
        "'a'",
        '"a"',
        "f(a)(b)",
        "a; b",
        "a @ b",
        "a // b",
        "a % b",
        "a\x00",
        "a\\b",
        "$(a)",
    ],
)
def test_nothing_but_arithmetic_is_read(text):
    with pytest.raises(DeclarationError, match=r"^fusion: expected "):
        Fusion.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "-" * 100_000 + "a",
        "a" + "+a" * 100_000,
        "a" * 100_000,
        "1" * 100_000,
        "(" * (LENGTH // 2),
        "-" * (PARTS - 2) + "a",
        "(" * (DEPTH + 1) + "a" + ")" * (DEPTH + 1),
        "log(" * (DEPTH + 1) + "a" + ")" * (DEPTH + 1),
        "a" + "^a" * (DEPTH + 1),
        "a" + "+a" * (PARTS // 2),
        "a`" * (LENGTH // 2),
    ],
    ids=lambda text: f"{text[:4]}...",
)
def test_what_is_too_long_or_too_deep_is_refused(text):
    with pytest.raises(DeclarationError, match=r"^fusion: expected ") as caught:
        Fusion.parse(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEPTH + "a" + ")" * DEPTH,
        "abs(" * DEPTH + "a" + ")" * DEPTH,
        "-" * DEPTH + "a",
        "a" + "^a" * DEPTH,
        "a" + " - a" * (PARTS // 2 - 1),
    ],
    ids=lambda text: f"{text[:4]}...",
)
def test_what_is_just_allowed_needs_little_of_the_stack(text):
    import numpy as np

    before, depth = sys.getrecursionlimit(), len(list(_frames()))
    sys.setrecursionlimit(depth + 700)
    try:
        fusion = Fusion.parse(text)
        assert Fusion.parse(str(fusion)) == fusion
        assert fusion.with_weights(fusion.weights) == fusion
        assert np.isfinite(fusion.evaluate({"a": np.array([0.5])})).all()
        assert hash(fusion) == hash(Fusion.parse(text))
    finally:
        sys.setrecursionlimit(before)


def _frames():
    frame = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


# random expressions

NUMBERS = st.floats(0, 1e30).filter(lambda value: value == 0 or value > 1e-300)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def _negative(node):
    return Number(-node.value) if isinstance(node, Number) else Negative(node)


def _grown(nodes):
    return st.one_of(
        nodes.map(_negative),
        st.builds(Operation, st.sampled_from("+-*/^"), nodes, nodes),
        st.builds(lambda f, node: Call(f, (node,)), st.sampled_from(["log", "exp", "sqrt", "abs"]), nodes),
        st.builds(lambda f, many: Call(f, tuple(many)), st.sampled_from(["min", "max"]), st.lists(nodes, min_size=2)),
        st.builds(lambda *three: Call("clip", three), nodes, nodes, nodes),
    )


NODES = st.recursive(NUMBERS.map(Number) | NAMES.map(Column), _grown, max_leaves=12)


@given(NODES)
def test_every_tree_is_written_as_a_text_that_is_read_as_that_tree(node):
    assert parse(written(node)) == node


@given(NODES, st.data())
def test_other_weights_change_nothing_else(node, data):
    fusion = Fusion(node)
    weights = data.draw(st.lists(st.floats(-1e30, 1e30), min_size=len(fusion.weights), max_size=len(fusion.weights)))
    moved = fusion.with_weights(weights)
    assert moved.weights == tuple(weights)
    assert moved.names == fusion.names
    assert moved.with_weights(fusion.weights) == fusion
    assert parse(str(moved)) == moved.tree


def _of_python(node):
    """Return our tree of Python's: its grammar says the same of these signs."""
    operators = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
    match node:
        case ast.Constant(value):
            return Number(float(value))
        case ast.Name(name):
            return Column(name)
        case ast.UnaryOp(ast.USub(), operand):
            return _negative(_of_python(operand))
        case ast.BinOp(left, operator, right):
            return Operation(operators[type(operator)], _of_python(left), _of_python(right))
        case ast.Call(ast.Name(name), arguments):
            return Call(name, tuple(map(_of_python, arguments)))
    raise AssertionError(ast.dump(node))


ATOMS = st.sampled_from(["a", "b", "c", "2", "0.5", "1e-3", "(a + b)", "(a^2)", "log(a)", "max(a, -b)", "(-c)"])
SIGNED = st.builds(lambda minus, atom: "-" * minus + atom, st.integers(0, 2), ATOMS)


@given(SIGNED, st.lists(st.tuples(st.sampled_from(["+", "-", "*", "/", "^"]), SIGNED), max_size=8), st.booleans())
def test_operators_bind_as_in_python(first, others, spaced):
    gap = " " if spaced else ""
    text = first + "".join(f"{gap}{operator}{gap}{operand}" for operator, operand in others)
    assert parse(text) == _of_python(ast.parse(text.replace("^", "**"), mode="eval").body)


@given(st.text(st.sampled_from("ab1.e+-*/^(),`[] \n'_") | st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        fusion = Fusion.parse(text)
    except DeclarationError as error:
        fusion = str(error)
    if isinstance(fusion, str):
        assert "\n" not in fusion
    else:
        assert Fusion.parse(str(fusion)) == fusion


# weights and names


def test_weights_are_the_numbers_in_order_of_appearance():
    fusion = Fusion.parse("click^1.0 * (0.2 + rating/5)^0.5 - -3 * clip(click, 0, 1)")
    assert fusion.weights == (1, 0.2, 5, 0.5, -3, 0, 1)
    assert fusion.names == ("click", "rating")
    moved = fusion.with_weights([2, 0.1, 4, -1, 3, -1, 0.5])
    assert str(moved) == "click^2 * (0.1 + rating / 4)^-1 - 3 * clip(click, -1, 0.5)"


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ([1], "expected 2 weights, found 1"),
        ([1, float("nan")], "weight 2: expected a number up to 1.26765e+30, found nan"),
        ([float("inf"), 1], "weight 1: expected a number up to 1.26765e+30, found inf"),
        ([-2e30, 1], "weight 1: expected a number up to 1.26765e+30, found -2e+30"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, complaint):
    with pytest.raises(DeclarationError) as caught:
        Fusion.parse("2 * a + 3 * b").with_weights(weights)
    assert str(caught.value) == f"fusion: {complaint}"


def test_names_are_predictions():
    fusion = Fusion.parse("click + device[tv]")
    fusion.check(["click", "device[tv]"])
    fusion.check(["click"], learnt=["device"])
    for known, learnt, complaint in [
        (["clicks", "device[tv]"], [], "'click' is no prediction; did you mean 'clicks'?"),
        (["click"], [], "'device[tv]' is no prediction (predictions: click)"),
        (["click", "device[pc]"], [], "'device[tv]' is no prediction; did you mean 'device[pc]'?"),
        (["click", "fused"], ["device"], "its result is called 'fused', and so is a prediction"),
    ]:
        with pytest.raises(DeclarationError) as caught:
            fusion.check(known, learnt)
        assert str(caught.value) == f"fusion: {complaint}"
