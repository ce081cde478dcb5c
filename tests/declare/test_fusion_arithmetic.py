"""Every row has a value: in Python's floats, numpy, torch and ONNX Runtime the same one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.declare import Fusion
from gatewise.declare.fusion import LIMIT
from gatewise.declare.fusion.tree import Call, Column, Negative, Number, Operation

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 1e-320, -1e-320, 1e-200, 1e200, -1e200, 1e300, 700.0, 800.0]


def by_numpy(text: str, **columns: object) -> list[float]:
    return Fusion.parse(text).evaluate({name: np.array(v, dtype=np.float64) for name, v in columns.items()}).tolist()


def by_torch(text: str, **columns: object) -> list[float]:
    tensors = {name: torch.tensor(values, dtype=torch.float64) for name, values in columns.items()}
    return Fusion.parse(text).evaluate(tensors).tolist()


@pytest.mark.parametrize("compute", [by_numpy, by_torch])
@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("x / 0", [2, -2, 0], [LIMIT, -LIMIT, 0]),
        ("x / (0 * -1)", [2, -2, 0], [LIMIT, -LIMIT, 0]),
        ("1 / x", [4, 0, -0.0], [0.25, LIMIT, LIMIT]),
        ("log(x)", [1, math.e, 0, -0.0, -3], [0, 1, -LIMIT, -LIMIT, -LIMIT]),
        ("sqrt(x)", [4, 0, -4], [2, 0, 0]),
        ("exp(x)", [0, 1, 1000, -1000], [1, math.e, LIMIT, 0]),
        ("x^0.5", [4, 0, -4], [2, 0, 0]),
        ("x^-0.5", [4, 0, -4], [0.5, LIMIT, LIMIT]),
        ("x^3", [2, 0, -2], [8, 0, -8]),
        ("x^-1", [2, 0, -0.0, -2], [0.5, LIMIT, LIMIT, -0.5]),
        ("x^0", [2, 0, -2], [1, 1, 1]),
        ("2^x", [3, -1, 2000], [8, 0.5, LIMIT]),
        ("(-2)^x", [3, 2, 0.5, 2001], [-8, 4, 0, -LIMIT]),
        ("1e30 * x", [2, -2, 0.5], [LIMIT, -LIMIT, 5e29]),
        ("1e30 * x - 1e30 * x", [2, 5, -7], [0, 0, 0]),
        ("0 * log(x)", [0, 1, 2], [0, 0, 0]),
        ("x + 1e30", [1e30, 0, -1e30], [LIMIT, 1e30, 0]),
        ("abs(x)", [-2, 0, 3], [2, 0, 3]),
        ("min(x, 1, 2)", [-2, 1.5, 3], [-2, 1, 1]),
        ("max(1, x, 2)", [-2, 2.5, 3], [2, 2.5, 3]),
        ("clip(x, 0, 1)", [-2, 0.5, 3], [0, 0.5, 1]),
        ("clip(x, 1, 0)", [-2, 0.5, 3], [0, 0, 0]),
        ("-x^2", [3, -3], [-9, -9]),
        ("x", [math.inf, -math.inf, 1], [LIMIT, -LIMIT, 1]),
        ("x - x", [math.inf, 1, 2], [0, 0, 0]),
    ],
)
def test_what_is_not_defined_has_a_value(compute, text, x, expected):
    assert compute(text, x=x) == pytest.approx(expected, rel=1e-14, abs=0)


def test_numbers_alone_beside_a_column_are_of_its_shape():
    assert by_numpy("2^0.5 * 3 + 0 * x", x=[1, 2]) == by_torch("2^0.5 * 3 + 0 * x", x=[1, 2]) == [3 * 2**0.5] * 2
    assert by_numpy("max(2, 3) + 0 * x", x=[]) == by_torch("max(2, 3) + 0 * x", x=[]) == []


def test_a_prediction_that_is_no_number_makes_no_number():
    for text in ["x", "x^2", "x^0.5", "1 / x", "log(x)", "sqrt(x)", "max(x, 1)", "min(1, x)", "clip(x, 0, 1)"]:
        for compute in (by_numpy, by_torch):
            assert np.isnan(compute(f"y + {text}", x=[math.nan, 2], y=[1, 1])).tolist() == [True, False], text


# a reference of its own: Python's floats, row by row


def bounded(value: float) -> float:
    return max(-LIMIT, min(LIMIT, value))


def raised(x: float, y: float) -> float:
    if x == 0:
        return 1.0 if y == 0 else (0.0 if y > 0 else LIMIT)
    if x < 0 and y != math.floor(y):
        return raised(0.0, y)
    try:
        return x**y
    except OverflowError:
        return -LIMIT if x < 0 and math.fmod(y, 2) else LIMIT


def over(x: float, y: float) -> float:
    if y == 0:
        return 0.0 if x == 0 else math.copysign(LIMIT, x)
    return x / y


def exponential(x: float) -> float:
    return math.exp(x) if x < 700 else LIMIT


def reference(node, row: dict[str, float]) -> float:
    match node:
        case Number(value):
            return value
        case Column(name):
            return bounded(row[name])
        case Negative(of):
            return -reference(of, row)
        case Operation(operator, left, right):
            x, y = reference(left, row), reference(right, row)
            ways = {"+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": over, "^": raised}
            return bounded(ways[operator](x, y))
        case Call(function, arguments):
            values = [reference(argument, row) for argument in arguments]
            match function:
                case "log":
                    return math.log(values[0]) if values[0] > 0 else -LIMIT
                case "exp":
                    return exponential(values[0])
                case "sqrt":
                    return math.sqrt(max(values[0], 0.0))
                case "abs":
                    return abs(values[0])
                case "clip":
                    return min(max(values[0], values[1]), values[2])
                case _:
                    return {"min": min, "max": max}[function](values)
    raise AssertionError(node)


LEAVES = st.sampled_from([Column("x"), Column("y"), Column("z")]) | st.sampled_from(
    [Number(value) for value in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0, -0.5, 1e30)]
)


def grown(nodes):
    return st.one_of(
        nodes.filter(lambda node: not isinstance(node, Number)).map(Negative),
        st.builds(Operation, st.sampled_from("+-*/^"), nodes, nodes),
        st.builds(lambda f, node: Call(f, (node,)), st.sampled_from(["log", "exp", "sqrt", "abs"]), nodes),
        st.builds(lambda f, many: Call(f, tuple(many)), st.sampled_from(["min", "max"]), st.lists(nodes, min_size=2)),
        st.builds(lambda *three: Call("clip", three), nodes, nodes, nodes),
    )


NODES = st.recursive(LEAVES, grown, max_leaves=5)
VALUES = st.sampled_from(SPECIAL) | st.floats(-10, 10)


@given(NODES, st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=5))
def test_numpy_and_torch_are_what_pythons_floats_give(node, rows):
    fusion = Fusion(Operation("+", node, Operation("*", Number(0.0), Column("x"))))
    matrix = np.array(rows, dtype=np.float64)
    expected = [reference(fusion.tree, dict(zip("xyz", row, strict=True))) for row in rows]
    assert np.isfinite(expected).all()
    columns = dict(zip("xyz", matrix.T, strict=True))
    # where an operation is steep or cancels, the last digit of the one before it counts: such rows say nothing
    nudged = [reference(_nudged(fusion.tree), dict(zip("xyz", row, strict=True))) for row in rows]
    stable = np.isclose(expected, nudged, rtol=1e-9, atol=1e-9)
    for found in (
        fusion.evaluate(columns),
        fusion.evaluate({name: torch.from_numpy(column.copy()) for name, column in columns.items()}).numpy(),
    ):
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[stable], np.array(expected)[stable], rtol=1e-9, atol=1e-9)


def _nudged(node):
    """Return a tree whose functions, quotients and powers are off by a rounding error."""
    match node:
        case Negative(of):
            return Negative(_nudged(of))
        case Operation(operator, left, right):
            return _off(Operation(operator, _nudged(left), _nudged(right)))
        case Call(function, arguments):
            return _off(Call(function, tuple(map(_nudged, arguments))))
    return node


def _off(node):
    return Operation("*", node, Number(1 + 4e-16))


EVERYTHING = (
    "x / y + log(x) * 0.1 + 1e-3 * x^3 + x^y + y^-0.5 - exp(x) + sqrt(y) + abs(z) + min(x, y, z) + max(x, 0.3, z) "
    "+ clip(z, -1, x) - -z^2 * 2^z"
)


@pytest.mark.filterwarnings("ignore")
def test_onnx_runtime_agrees(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    fusion = Fusion.parse(EVERYTHING)

    class Fused(torch.nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            return fusion.evaluate({"x": x, "y": y, "z": z})

    grid = np.array(np.meshgrid(SPECIAL, SPECIAL, [-2.0, -0.5, 0.0, 1.0, 1e200])).reshape(3, -1)
    columns = dict(zip("xyz", grid, strict=True))
    tensors = tuple(torch.from_numpy(column.copy()) for column in columns.values())
    rows = torch.export.Dim("rows")
    program = torch.onnx.export(
        Fused(), tensors, dynamo=True, dynamic_shapes=({0: rows}, {0: rows}, {0: rows}), verbose=False
    )
    program.save(str(tmp_path / "fused.onnx"))
    session = onnxruntime.InferenceSession(str(tmp_path / "fused.onnx"))
    (found,) = session.run(None, dict(zip([each.name for each in session.get_inputs()], grid, strict=True)))
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    expected = fusion.evaluate(columns)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found, Fused()(*tensors).numpy(), rtol=1e-12)
    (one,) = session.run(None, dict(zip([each.name for each in session.get_inputs()], grid[:, :1], strict=True)))
    assert one.shape == (1,)
