"""From a program to an ONNX model."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from gatewise.errors import ExportError, MissingExtraError
from gatewise.export.ports import BATCH
from gatewise.export.program import Program

if TYPE_CHECKING:
    import onnx_ir as ir

OPSET = 18


def traced(program: Program) -> torch.export.ExportedProgram:
    """Return a program as a graph whose sizes are free where its ports say so.

    Raises:
        ExportError: something in it cannot be traced.
    """
    program.eval()
    ports = program.form.ports
    example, free = tuple(port.example() for port in ports), tuple(port.free_dims() for port in ports)
    try:
        with quiet(), torch.no_grad():
            return torch.export.export(program, example, dynamic_shapes={"given": free}, strict=False)
    except Exception as error:
        raise ExportError(f"export: this model cannot be traced: {first_line(error)}") from error


def to_onnx(program: Program) -> ir.Model:
    """Return a program as an ONNX model whose inputs and outputs have its names.

    Raises:
        MissingExtraError: ``onnx`` or ``onnxscript`` is not installed.
        ExportError: something in it cannot be said in ONNX.
    """
    try:
        from gatewise.export.translations import TRANSLATIONS
    except ImportError:
        raise MissingExtraError("export", "export to ONNX") from None
    graph = traced(program)
    try:
        with quiet():
            found = torch.onnx.export(
                graph,
                (),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                custom_translation_table=TRANSLATIONS,
            )
    except Exception as error:
        raise ExportError(f"export: this model cannot be said in ONNX: {first_line(error)}") from error
    assert found is not None
    _name(found.model.graph, program)
    return found.model


def _name(graph: ir.Graph, program: Program) -> None:
    """Give inputs and outputs the program's names, and free sizes theirs."""
    import onnx_ir as ir

    ports = program.form.ports
    outside = [*(port.name for port in ports), *program.outputs]
    twice = next((name for name in outside if outside.count(name) > 1), None)
    if twice is not None:
        raise ExportError(f"export: two inputs or outputs are called {twice!r}: rename the feature or the task")
    ends = {id(value) for value in (*graph.inputs, *graph.outputs)}
    inside = [*graph.initializers.values(), *(value for node in graph.all_nodes() for value in node.outputs)]
    for value in inside:
        if id(value) not in ends and value.name in outside:
            value.name = f"{value.name} inside"
    for value, port in zip(graph.inputs, ports, strict=True):
        value.name, value.shape = port.name, ir.Shape(port.dims)
    for value, name in zip(graph.outputs, program.outputs, strict=True):
        assert value.shape is not None
        value.name, value.shape = name, ir.Shape([BATCH, *value.shape.dims[1:]])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what the exporters of torch say about themselves from people who cannot change it."""
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
    """Return the first line of an error that says something."""
    lines: list[Any] = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
