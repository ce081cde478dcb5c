"""Operations of PyTorch that ONNX lacks, or ONNX Runtime has in single precision only, built from other ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from numpy.polynomial import chebyshev
from onnxscript import opset18

DEGREE = 20
SCALE = 3.0

# onnxscript's stubs describe eager evaluation, and here the operations build a graph
op: Any = opset18


def log_ndtr(x: ir.Value) -> ir.Value:
    r"""Return :math:`\ln \Phi(x)`, exact in both tails.

    .. math:: -z^2 + \ln \tfrac12 \mathrm{erfcx}(z) \text{ for } x \le 0, \quad
        \ln\left(1 - \tfrac12 e^{-z^2} \mathrm{erfcx}(z)\right) \text{ for } x > 0, \qquad z = |x| / \sqrt 2
    """
    exponent, half = _tail(x)
    below = op.Add(exponent, op.Log(half))
    above = op.Log(op.Sub(_constant(1.0), op.Mul(op.Exp(exponent), half)))
    return op.CastLike(op.Where(op.Greater(x, op.CastLike(_constant(0.0), x)), above, below), x)


def ndtr(x: ir.Value) -> ir.Value:
    r"""Return :math:`\Phi(x)`."""
    exponent, half = _tail(x)
    outside = op.Mul(op.Exp(exponent), half)
    positive = op.Greater(x, op.CastLike(_constant(0.0), x))
    return op.CastLike(op.Where(positive, op.Sub(_constant(1.0), outside), outside), x)


def searchsorted(
    knots: ir.Value,
    x: ir.Value,
    out_int32: bool = False,  # noqa: ARG001
    right: bool = False,
    side: str | None = None,
    sorter: ir.Value | None = None,
) -> ir.Value:
    """Return the number of knots below x, with ``right`` also of those equal to x: a binary search.

    Shape:
        - knots ``[knot]`` and x of any shape; or knots ``[column, knot]`` and x ``[column, any]``
        - output: the shape of x
    """
    assert sorter is None
    assert knots.shape is not None
    *columns, length = map(int, knots.shape)  # type: ignore[arg-type]
    steps = length.bit_length()
    passed = op.LessOrEqual if right or side == "right" else op.Less
    # as many knots as a search of this many steps can tell apart
    width = 2**steps - 1
    missing = np.full((*columns, width - length), np.inf)
    filled = op.Concat(knots, op.CastLike(_constant(missing), knots), axis=len(columns))
    # the first knot of each column
    start = np.arange(columns[0])[:, np.newaxis] * width if columns else np.array(0)
    if columns:
        filled = op.Reshape(filled, _constant(np.array([-1])))
    count = op.Expand(_constant(np.array(0)), op.Shape(x))
    for step in (2**power for power in reversed(range(steps))):
        further = op.Add(count, _constant(start + step - 1))
        found = passed(op.Gather(filled, further), x)
        count = op.Add(count, op.Mul(op.Cast(found, to=ir.DataType.INT64), _constant(np.array(step))))
    return count


def recurrent(x: ir.Value, w: ir.Value, r: ir.Value, b: ir.Value, cell: str) -> ir.Value:
    """Return the states of :class:`gatewise.export.twins.RecurrentTwin`."""
    assert r.shape is not None
    # [length, batch, dim]
    steps, width = op.Transpose(x, perm=[1, 0, 2]), int(r.shape[2])  # type: ignore[arg-type]
    if cell == "LSTM":
        states, *_ = op.LSTM(steps, w, r, b, hidden_size=width)
    else:
        states, *_ = op.GRU(steps, w, r, b, hidden_size=width, linear_before_reset=1)
    return op.Squeeze(op.Transpose(states, perm=[2, 0, 3, 1]), _constant(np.array([3])))


def _tail(x: ir.Value) -> tuple[ir.Value, ir.Value]:
    r"""Return :math:`-z^2` and half of erfcx(z), in double precision."""
    z = op.Div(op.Abs(op.Cast(x, to=ir.DataType.DOUBLE)), _constant(2**0.5))
    t = op.Div(_constant(SCALE), op.Add(z, _constant(SCALE)))
    u = op.Unsqueeze(op.Sub(op.Mul(t, _constant(2.0)), _constant(1.0)), _constant(np.array([-1])))
    powers = op.Pow(u, _constant(np.arange(DEGREE + 1, dtype=np.float64)))
    return op.Neg(op.Mul(z, z)), op.Mul(t, op.MatMul(powers, _constant(_coefficients() / 2)))


@functools.cache
def _coefficients() -> np.ndarray:
    """Return the polynomial of 2t - 1 that is erfcx(z) / t, within 1e-14, where t = s / (z + s)."""

    def smooth(u: Any) -> Any:
        t = (u + 1) / 2
        return torch.special.erfcx(torch.from_numpy(SCALE / t - SCALE)).numpy() / t

    coefficients: np.ndarray = chebyshev.cheb2poly(chebyshev.chebinterpolate(smooth, DEGREE))
    return coefficients


def _constant(value: Any) -> ir.Value:
    """Return a constant: a number in double precision, or an array as it is."""
    constant: ir.Value = op.Constant(value=ir.tensor(np.asarray(value)))
    return constant


TRANSLATIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.ops.aten.special_log_ndtr.default: log_ndtr,
    torch.ops.aten.special_ndtr.default: ndtr,
    torch.ops.aten.searchsorted.Tensor: searchsorted,
    torch.ops.gatewise.recurrent.default: recurrent,
}
