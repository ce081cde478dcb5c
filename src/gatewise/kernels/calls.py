"""The compiled functions as Python calls them: tensors in, tensors out.

C trusts its arguments. So type, device, shape and layout of every tensor are checked here, and pointers are taken only
here. C itself compares ids and rows with the table's size; it reads and writes nothing outside the table, and reports
the wrong id or row.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import CDLL
from pathlib import Path

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.kernels.signatures import INT64, POINTER, SIGNATURES

MOST_LOOKUPS = 2**31 - 1
"""C counts the lookups of a batch with 32 bits."""


class Kernels:
    """The functions of a loaded library.

    Args:
        library: compiled from ``kernels.c``.
        path: the file of the library.

    Raises:
        AttributeError: the library lacks a function.
    """

    def __init__(self, library: CDLL, path: Path) -> None:
        self.path = path
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._library = library

    def gather(self, ids: Tensor, offsets: Tensor, table: Tensor, beside: Tensor) -> Tensor:
        """Return ``[batch, column * dim + any]``, see :func:`gatewise.kernels.gather`.

        Args:
            ids: ``[batch, column]`` int32.
            offsets: ``[column]`` int64.
            table: ``[row, dim]``.
            beside: ``[batch, any]``.
        """
        batch, columns = _size("ids", ids, 2)
        rows, dim = _size("table", table, 2)
        more = _size("beside", beside, 2)[1]
        _check("ids", ids, (batch, columns), torch.int32)
        _check("offsets", offsets, (columns,), torch.int64)
        _check("table", table, (rows, dim))
        _check("beside", beside, (batch, more))
        out = torch.empty(batch, columns * dim + more)
        bad = self._library.gather(
            ids.data_ptr(), offsets.data_ptr(), batch, columns, table.data_ptr(), rows, dim, beside.data_ptr(), more,
            out.data_ptr(), torch.get_num_threads(),
        )  # fmt: skip
        if bad >= 0:
            row = int(ids.flatten()[bad]) + int(offsets[bad % columns])
            raise ShapeError(f"lookup: expected rows from 0 to {rows - 1}, found {row} in column {bad % columns}")
        return out

    def sum_rows(self, ids: Tensor, offsets: Tensor, gradient: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """Return distinct rows and their sums, see :func:`gatewise.kernels.sum_rows`.

        Args:
            ids: ``[batch, column]`` int32.
            offsets: ``[column]`` int64.
            gradient: ``[batch, column * dim]``; its rows may be strided.
            dim: width of a row.
        """
        batch, columns = _size("ids", ids, 2)
        _check("ids", ids, (batch, columns), torch.int32)
        _check("offsets", offsets, (columns,), torch.int64)
        _check("gradient", gradient, (batch, columns * dim), strided=True)
        if ids.numel() > MOST_LOOKUPS:
            raise ShapeError(f"lookup: expected at most {MOST_LOOKUPS} ids in a batch, found {ids.numel()}")
        rows, sums = torch.empty(ids.numel(), dtype=torch.int64), torch.empty(ids.numel(), dim)
        count = self._library.sum_rows(
            ids.data_ptr(), offsets.data_ptr(), batch, columns, gradient.data_ptr(), gradient.stride(0), dim,
            rows.data_ptr(), sums.data_ptr(), torch.get_num_threads(),
        )  # fmt: skip
        if count < 0:
            raise MemoryError("no memory left to sum the gradients of embedding rows")
        return rows[:count], sums[:count]

    def adam(self, columns: Sequence[Sequence[Tensor]], factors: tuple[float, ...]) -> None:
        """Update whole tensors in place.

        Args:
            columns: weights, first moments, second moments and gradients; the i-th of each have equal shapes.
            factors: see :attr:`gatewise.kernels.AdamStep.factors`.
        """
        weights = columns[0]
        for name, tensors in zip(("weight", "first moment", "second moment", "gradient"), columns, strict=True):
            for weight, tensor in zip(weights, tensors, strict=True):
                _check(name, tensor, weight.shape)
        pointers = [(POINTER * len(weights))(*[tensor.data_ptr() for tensor in column]) for column in columns]
        sizes = (INT64 * len(weights))(*[weight.numel() for weight in weights])
        self._library.adam(*pointers, sizes, len(weights), *factors, torch.get_num_threads())

    def adam_rows(
        self, weight: Tensor, moments: tuple[Tensor, Tensor], rows: Tensor, gradient: Tensor, factors: tuple[float, ...]
    ) -> None:
        """Update some rows of a matrix in place.

        Args:
            weight: ``[any, dim]``, like both moments.
            moments: first and second.
            rows: ``[row]`` int64, distinct.
            gradient: ``[row, dim]``.
            factors: see :attr:`gatewise.kernels.AdamStep.factors`.
        """
        total, dim = _size("weight", weight, 2)
        for name, tensor in (("weight", weight), ("first moment", moments[0]), ("second moment", moments[1])):
            _check(name, tensor, (total, dim))
        (count,) = _size("rows", rows, 1)
        _check("rows", rows, (count,), torch.int64)
        _check("gradient", gradient, (count, dim))
        pointers = [tensor.data_ptr() for tensor in (weight, *moments)]
        bad = self._library.adam_rows(
            *pointers, total, rows.data_ptr(), gradient.data_ptr(), count, dim, *factors, torch.get_num_threads()
        )
        if bad >= 0:
            raise ShapeError(f"rows: expected rows from 0 to {total - 1}, found {int(rows[bad])}")

    def mix(self, gates: Tensor, experts: Tensor, floor: float) -> Tensor:
        """Return the gates' mixtures ``[batch, gate, width]``.

        Args:
            gates: ``[batch, gate, expert]``.
            experts: ``[batch, expert, width]``, each vector contiguous.
            floor: 0 to rectify the experts, minus infinity to take them as they are.
        """
        batch, num_gates, width = _check_mixture(gates, experts)
        out = torch.empty(batch, num_gates, width)
        self._library.mix(*_mixture(gates, experts), floor, out.data_ptr(), *_mixture_sizes(gates, experts))
        return out

    def mix_backward(self, gates: Tensor, experts: Tensor, floor: float, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of gates and experts, in their layouts, given that of the output of :meth:`mix`."""
        _check("gradient", gradient, _check_mixture(gates, experts))
        if not apart(experts):
            raise ShapeError(
                f"experts: expected values that do not overlap in memory, found strides {experts.stride()}"
            )
        of_gates, of_experts = torch.empty_like(gates), torch.empty_strided(experts.shape, experts.stride())
        if gates.shape[1] == 0:
            return of_gates, of_experts.zero_()
        pointers = (gradient.data_ptr(), of_gates.data_ptr(), of_experts.data_ptr())
        self._library.mix_backward(*_mixture(gates, experts), floor, *pointers, *_mixture_sizes(gates, experts))
        return of_gates, of_experts

    def group_linear(self, x: Tensor, weight: Tensor, bias: Tensor, floor: float) -> Tensor:
        """Return every group's linear map ``[batch, group, out]``.

        Args:
            x: ``[batch, group, in]``, each vector contiguous.
            weight: ``[group, out, in]``.
            bias: ``[group, out]``.
            floor: 0 to rectify the outputs, minus infinity to leave them as they are.
        """
        shape = _check_groups(x, weight)
        _check("bias", bias, weight.shape[:2])
        y = torch.empty(shape)
        _remembered(
            self._library.group_linear(*_groups(x, weight), bias.data_ptr(), floor, y.data_ptr(), *_sizes(x, weight))
        )
        return y

    def group_linear_backward(
        self, x: Tensor, weight: Tensor, y: Tensor, floor: float, gradient: Tensor, *, of_weights: bool
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the gradients of input and, with ``of_weights``, of weight and bias, given that of the output y."""
        shape = _check_groups(x, weight)
        _check("output", y, shape)
        _check("gradient", gradient, shape)
        of_x, of_weight, of_bias = torch.empty(x.shape), None, None
        if of_weights:
            of_weight, of_bias = torch.zeros(weight.shape), torch.zeros(weight.shape[:2])
        pointers = (None if tensor is None else tensor.data_ptr() for tensor in (gradient, of_x, of_weight, of_bias))
        arguments = (*_groups(x, weight), y.data_ptr(), floor, *pointers, *_sizes(x, weight))
        _remembered(self._library.group_linear_backward(*arguments))
        return of_x, of_weight, of_bias


def _size(name: str, tensor: Tensor, dimensions: int) -> torch.Size:
    if tensor.dim() != dimensions:
        raise ShapeError(f"{name}: expected {dimensions} dimensions, found shape {list(tensor.shape)}")
    return tensor.shape


def _check(
    name: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype = torch.float32, *, strided: bool = False
) -> None:
    """Refuse another shape, type or device, and other layouts than row-major; strided: rows may have a stride."""
    laid_out = tensor.is_contiguous() or (strided and tensor.stride(-1) == 1)
    if tensor.shape != shape or tensor.dtype != dtype or not tensor.is_cpu or not laid_out:
        found = f"{tensor.dtype} {list(tensor.shape)} with strides {tensor.stride()} on {tensor.device}"
        raise ShapeError(f"{name}: expected {dtype} {list(shape)} in one piece of memory, found {found}")


def _check_mixture(gates: Tensor, experts: Tensor) -> tuple[int, int, int]:
    batch, num_gates, num_experts = _size("gates", gates, 3)
    width = _size("experts", experts, 3)[2]
    _check("gates", gates, (batch, num_gates, num_experts))
    _check("experts", experts, (batch, num_experts, width), strided=True)
    return batch, num_gates, width


def _mixture(gates: Tensor, experts: Tensor) -> tuple[int, ...]:
    return gates.data_ptr(), experts.data_ptr(), experts.stride(0), experts.stride(1)


def _mixture_sizes(gates: Tensor, experts: Tensor) -> tuple[int, ...]:
    return *gates.shape, experts.shape[2], torch.get_num_threads()


def _check_groups(x: Tensor, weight: Tensor) -> tuple[int, int, int]:
    groups, out, width = _size("weight", weight, 3)
    batch = _size("x", x, 3)[0]
    _check("weight", weight, (groups, out, width))
    _check("x", x, (batch, groups, width), strided=True)
    return batch, groups, out


def _groups(x: Tensor, weight: Tensor) -> tuple[int, ...]:
    return x.data_ptr(), x.stride(0), x.stride(1), weight.data_ptr()


def _sizes(x: Tensor, weight: Tensor) -> tuple[int, ...]:
    return len(x), *weight.shape, torch.get_num_threads()


def apart(tensor: Tensor) -> bool:
    """Return whether all entries have their own place in memory, unlike in an expanded tensor."""
    reached = 0
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if stride <= reached:
                return False
            reached += stride * (size - 1)
    return True


def _remembered(result: int) -> None:
    if result < 0:
        raise MemoryError("no memory left for a layer's weights")
