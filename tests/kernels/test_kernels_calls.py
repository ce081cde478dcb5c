"""C sees no pointer whose tensor was not looked at: there is the answer of the twin in PyTorch, or one clear error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.kernels import (
    AdamStep,
    Lookup,
    gather,
    group_linear,
    library,
    mix,
    sum_rows,
    update_adam,
    update_adam_rows,
)
from gatewise.kernels.calls import Kernels

STEP = AdamStep(3, 0.01, (0.9, 0.999), 1e-8, 0.1, True)
SIZES = st.integers(0, 5)
LAYOUTS = ("plain", "turned", "strided", "expanded")
DTYPES = st.sampled_from([torch.float32] * 6 + [torch.float64, torch.bfloat16, torch.int32])
Both = Callable[[Callable[[], Any]], tuple[Any, Any]]
Shape = tuple[int, ...]

needs_compiler = pytest.mark.skipif(library.library() is None, reason="needs a C compiler: apt-get install gcc")


def laid_out(shape: Shape, layout: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return numbers of a shape that lie in memory in one of several ways."""
    generator = torch.Generator().manual_seed(7)
    if layout == "turned" and len(shape) > 1:
        return torch.randn(shape[1], shape[0], *shape[2:], generator=generator).to(dtype).transpose(0, 1)
    if layout == "strided" and shape:
        return torch.randn(*shape[:-1], shape[-1] * 2, generator=generator).to(dtype)[..., ::2]
    if layout == "expanded" and shape:
        return torch.randn(1, *shape[1:], generator=generator).to(dtype).expand(shape)
    return torch.randn(shape, generator=generator).to(dtype)


@st.composite
def nearly(draw: st.DrawFn, *shape: int) -> Tensor:
    """Draw a tensor of a shape, in any layout; now and then of another shape or type."""
    wrong = draw(st.integers(0, 9))
    sizes = list(shape)
    if wrong == 0 and sizes:
        at = draw(st.integers(0, len(sizes) - 1))
        sizes[at] = draw(st.integers(0, 9))
    if wrong == 1:
        sizes = draw(st.lists(SIZES, max_size=4))
    return laid_out(tuple(sizes), draw(st.sampled_from(LAYOUTS)), draw(DTYPES))


def outcome(call: Callable[[], Any]) -> Any:
    """Return an answer, or that there is none; torch's own words for what it refuses will do for the twin."""
    try:
        return call()
    except (ShapeError, RuntimeError, IndexError, ValueError):
        return None


def agree(compute: Callable[[], Any]) -> None:
    """Hold the compiled way to the twin: where it answers, the answers are the same."""
    found = outcome(compute)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(library, "library", lambda: None)
        expected = outcome(compute)
    event(f"answered: {found is not None}")
    if found is None:
        return
    assert expected is not None, "computed what the twin refuses"
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4, equal_nan=True)


@needs_compiler
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mixtures_of_any_shape(data: st.DataObject) -> None:
    batch, gates, experts, width = (data.draw(SIZES) for _ in range(4))
    weights, outputs = data.draw(nearly(batch, gates, experts)), data.draw(nearly(batch, experts, width))
    rectify = data.draw(st.booleans())

    def compute() -> Any:
        leaves = [part.detach().clone(memory_format=torch.preserve_format) for part in (weights, outputs)]
        if not all(part.is_floating_point() for part in leaves):
            raise ShapeError("not real")
        leaves = [weights.detach().requires_grad_(), outputs.detach().requires_grad_()]
        mixed = mix(*leaves, rectify=rectify)
        return mixed, torch.autograd.grad(mixed.float().sin().sum(), leaves)

    agree(compute)


@needs_compiler
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_lookups_of_any_shape(data: st.DataObject) -> None:
    batch, columns, rows, dim = (data.draw(SIZES) for _ in range(4))
    ids = data.draw(nearly(batch, columns)).mul(3).to(data.draw(st.sampled_from([torch.int32, torch.int64])))
    offsets = torch.arange(data.draw(st.sampled_from([columns, columns, columns + 1]))) * rows
    table, beside = data.draw(nearly(rows * columns, dim)), data.draw(nearly(batch, 2))
    agree(lambda: gather(table, Lookup(ids, offsets), beside))


@needs_compiler
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_sums_of_any_shape(data: st.DataObject) -> None:
    batch, columns, dim = data.draw(SIZES), data.draw(SIZES), data.draw(st.integers(1, 5))
    ids = data.draw(nearly(batch, columns)).mul(3).to(torch.int32)
    gradient = data.draw(nearly(batch, columns * dim))

    def compute() -> Any:
        if gradient.dtype != torch.float32 or ids.dim() != 2:
            raise ShapeError("not ours")
        rows, sums = sum_rows([(Lookup(ids, torch.arange(columns) * 50), gradient)], dim)
        order = rows.argsort()
        return rows[order], sums[order]

    agree(compute)


@needs_compiler
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_linear_maps_of_any_shape(data: st.DataObject) -> None:
    batch, groups, out, width = (data.draw(SIZES) for _ in range(4))
    x = data.draw(st.one_of(nearly(batch, width), nearly(batch, groups, width)))
    weight, bias = data.draw(nearly(groups, out, width)), data.draw(st.none() | nearly(groups, out))

    def compute() -> Any:
        leaves = [part.detach().requires_grad_() for part in (x, weight, bias) if part is not None]
        y = group_linear(leaves[0], leaves[1], leaves[2] if bias is not None else None, rectify=True)
        return y, torch.autograd.grad(y.float().sum(), leaves)

    agree(compute)


@needs_compiler
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_adam_of_any_shape(data: st.DataObject) -> None:
    rows, dim = data.draw(SIZES), data.draw(SIZES)
    weight, first, gradient = (data.draw(nearly(rows, dim)) for _ in range(3))
    second = first.abs()
    some = torch.tensor(data.draw(st.lists(st.integers(-2, 6), unique=True, max_size=4)), dtype=torch.int64)

    def compute(update: Callable[[list[Tensor]], None]) -> Any:
        if {part.dtype for part in (weight, first, gradient)} != {torch.float32} or (
            not weight.shape == first.shape == gradient.shape
        ):
            raise ShapeError("not ours")
        parts = [part.clone(memory_format=torch.contiguous_format) for part in (weight, first, second)]
        update(parts)
        return parts

    agree(lambda: compute(lambda p: update_adam([p[0]], [gradient], [(p[1], p[2])], STEP)))

    def by_rows(parts: list[Tensor]) -> None:
        if (some < 0).any():  # torch counts these from the end
            raise ShapeError("no rows")
        update_adam_rows(parts[0], some, gradient[some], (parts[1], parts[2]), STEP)

    agree(lambda: compute(by_rows))


FLOAT, INT, LONG = torch.float32, torch.int32, torch.int64
# what each function takes, and for every argument shapes that it must not take beside the others
CALLS: dict[str, list[tuple[Shape, torch.dtype, list[Shape]]]] = {
    "gather": [
        ((3, 2), INT, [(3, 3), (3, 1)]),
        ((2,), LONG, [(1,), (3,), ()]),
        ((7, 4), FLOAT, [(7,), (7, 4, 1)]),
        ((3, 1), FLOAT, [(2, 1), (4, 1), (3,)]),
    ],
    "mix": [
        ((3, 2, 4), FLOAT, [(4, 2, 4), (1, 2, 4), (3, 2, 5), (3, 2, 3)]),
        ((3, 4, 5), FLOAT, [(2, 4, 5), (3, 3, 5)]),
    ],
    "group_linear": [
        ((3, 2, 5), FLOAT, [(3, 1, 5), (3, 3, 5), (3, 2, 4), (3, 2, 6)]),
        ((2, 4, 5), FLOAT, [(1, 4, 5), (2, 4, 4), (2, 4, 6)]),
        ((2, 4), FLOAT, [(2, 3), (1, 4), (4,)]),
    ],
}


@needs_compiler
@pytest.mark.parametrize("name", CALLS)
def test_a_call_refuses_every_tensor_that_is_not_what_c_reads(name: str) -> None:
    kernels, more = library.library(), () if name == "gather" else (0.0,)
    assert isinstance(kernels, Kernels)

    def call(*tensors: Tensor) -> Tensor:
        return getattr(kernels, name)(*tensors, *more)

    good = [torch.zeros(shape, dtype=dtype) for shape, dtype, _ in CALLS[name]]
    assert call(*good).isfinite().all()
    for at, (tensor, (shape, dtype, wrong)) in enumerate(zip(good, CALLS[name], strict=True)):
        twice = torch.zeros(*shape[:-1], 2 * shape[-1] + 2, dtype=dtype)
        for bad in (
            tensor.to(torch.float64),
            tensor.unsqueeze(0),
            tensor.to("meta"),
            twice[..., : 2 * shape[-1] : 2],
            *(tensor.new_zeros(other) for other in wrong),
        ):
            with pytest.raises(ShapeError):
                call(*good[:at], bad, *good[at + 1 :])


@needs_compiler
def test_rows_outside_a_table_are_neither_read_nor_written() -> None:
    table = torch.zeros(4, 3)
    for row in (4, 2**31 - 1, 2**31, 2**40):
        with pytest.raises(ShapeError, match="lookup: expected"):
            gather(table, Lookup(torch.tensor([[0, row]]), torch.zeros(2, dtype=torch.int64)))
    moments = torch.zeros(4, 3), torch.zeros(4, 3)
    for rows in ([0, 4], [0, -1], [2**62, 1]):
        with pytest.raises(ShapeError, match=r"rows: expected rows from 0 to 3, found"):
            update_adam_rows(table, torch.tensor(rows), torch.ones(2, 3), moments, STEP)
        assert not table.any()


def test_gradients_of_experts_that_share_memory(both: Both) -> None:
    gates, one = torch.rand(4, 2, 3), torch.randn(1, 3, 5)

    def compute() -> tuple[Tensor, ...]:
        leaf = one.clone().requires_grad_()
        mixed = mix(gates, leaf.expand(4, 3, 5), rectify=True)
        (mixed * torch.arange(mixed.numel()).view_as(mixed)).sum().backward()
        return mixed.detach(), leaf.grad

    torch.testing.assert_close(*both(compute))


def test_no_gates_are_no_gradient_of_the_experts(both: Both) -> None:
    def compute() -> Tensor:
        experts = torch.randn(4, 3, 5).requires_grad_()
        mix(torch.rand(4, 0, 3), experts).sum().backward()
        return experts.grad

    for gradient in both(compute):
        assert torch.equal(gradient, torch.zeros(4, 3, 5))
