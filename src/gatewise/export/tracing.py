"""Tracing: from a program to a graph of PyTorch's operations."""

from __future__ import annotations

import contextlib
import gc
import logging
import warnings
from collections.abc import Iterator

import torch

from gatewise.errors import ExportError
from gatewise.export.program import Program


def traced(program: Program) -> torch.export.ExportedProgram:
    """Return a program as a graph, with the free sizes of its ports.

    Raises:
        ExportError: an operation of the program cannot be traced.
    """
    slots = program.form.slots
    example, free = tuple(slot.example() for slot in slots), tuple(slot.free_dims() for slot in slots)
    try:
        with quiet(), torch.no_grad():
            return torch.export.export(program, example, dynamic_shapes={"given": free}, strict=False)
    except Exception as error:
        raise ExportError(f"export: this model cannot be traced: {first_line(error)}") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the messages of PyTorch's exporters, which their users cannot act on."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that is not empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Pause Python's garbage collection, which an export's many small objects keep busy for a fifth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
