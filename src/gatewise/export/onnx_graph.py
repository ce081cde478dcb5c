"""From a program to an ONNX model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gatewise.errors import ExportError, MissingExtraError
from gatewise.export.look_ups import look_up
from gatewise.export.metadata import describe
from gatewise.export.ports import BATCH, Form, Port, Slot, type_name
from gatewise.export.program import Program
from gatewise.export.tracing import first_line, quiet, traced, without_collection
from gatewise.export.twins import for_onnx, with_twins
from gatewise.version import __version__

if TYPE_CHECKING:
    import onnx_ir as ir

OPSET = 18
TYPES = {"int64": "INT64", "float32": "FLOAT", "float64": "DOUBLE", "string": "STRING"}
"""ONNX's names of types."""


def to_onnx(program: Program) -> ir.Model:
    """Return a program as an ONNX model whose inputs and outputs have the program's names.

    Raises:
        MissingExtraError: ``onnx`` or ``onnxscript`` is not installed.
        ExportError: an operation of the program cannot be expressed in ONNX.
    """
    try:
        from gatewise.export.translations import TRANSLATIONS
    except ImportError:
        raise MissingExtraError("export", "export to ONNX") from None
    graph = traced(with_twins(program, for_onnx))
    try:
        with quiet(), without_collection():
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
    model = found.model
    _forget_origins(model)
    _keep_constants(model.graph)
    _name(model.graph, program)
    model.producer_name, model.producer_version = "gatewise", __version__
    model.metadata_props.update(describe(program))
    return model


def _keep_constants(graph: ir.Graph) -> None:
    """Turn constants that the exporter's optimisation leaves unregistered into initializers."""
    for value in dict.fromkeys(value for node in graph for value in node.inputs if value is not None):
        if value.const_value is not None and value.producer() is None and value.name not in graph.initializers:
            graph.register_initializer(value)


def _forget_origins(model: ir.Model) -> None:
    """Drop the exporter's notes of every node: its lines of code, with the paths of this machine."""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()


def _name(graph: ir.Graph, program: Program) -> None:
    """Give inputs, outputs and free sizes the program's names."""
    import onnx_ir as ir

    ports = program.form.ports
    outside = [*dict.fromkeys(port.name for port in ports), *program.outputs]
    twice = next((name for name in outside if outside.count(name) > 1), None)
    if twice is not None:
        raise ExportError(f"export: an input and an output are called {twice!r}: rename the feature or the task")
    ends = {id(value) for value in (*graph.inputs, *graph.outputs)}
    inside = [*graph.initializers.values(), *(value for node in graph.all_nodes() for value in node.outputs)]
    for value in inside:
        if id(value) not in ends and value.name in outside:
            value.name = f"{value.name} inside"
    for value, name in zip(graph.outputs, program.outputs, strict=True):
        assert value.shape is not None
        value.name, value.shape = name, ir.Shape([BATCH, *value.shape.dims[1:]])
    _connect(graph, program.form)


def _connect(graph: ir.Graph, form: Form) -> None:
    """Give the graph one input per name of the ports, and compute the traced inputs from these."""
    # in the order of the ports, not in that of the slots
    inputs = {port.name: _input(port) for port in form.ports}
    nodes: list[ir.Node] = []
    for traced_input, slot in zip(list(graph.inputs), form.slots, strict=True):
        found = _slot(slot, inputs, nodes)
        if found.producer() is not None:
            found.name, found.shape, found.type = traced_input.name, traced_input.shape, traced_input.type
        traced_input.replace_all_uses_with(found)
    graph.inputs[:] = inputs.values()
    if nodes:
        graph.insert_before(graph[0], nodes)
        graph.opset_imports["ai.onnx.ml"] = 2


def _input(port: Port) -> ir.Value:
    import onnx_ir as ir

    kind = ir.TensorType(ir.DataType[TYPES[type_name(port)]])
    return ir.Value(name=port.name, shape=ir.Shape(port.dims), type=kind)


def _slot(slot: Slot, inputs: dict[str, ir.Value], nodes: list[ir.Node]) -> ir.Value:
    """Return the value that replaces a traced input, and add the nodes that compute it."""
    found = []
    for port in slot.ports:
        found.append(inputs[port.name])
        if port.keys is not None:
            nodes += look_up(found[-1], port.keys)
            found[-1] = nodes[-1].outputs[0]
    if slot.stacked:
        nodes += _side_by_side(found)
        return nodes[-1].outputs[0]
    return found[0]


def _side_by_side(columns: list[ir.Value]) -> list[ir.Node]:
    """Return nodes that stack columns ``[batch]`` into one matrix: concatenate, reshape, transpose."""
    import onnx_ir as ir

    width = ir.node("Constant", [], {"value": ir.tensor([len(columns), -1])})
    joined = ir.node("Concat", columns, {"axis": 0})
    rows = ir.node("Reshape", [joined.outputs[0], width.outputs[0]])
    return [width, joined, rows, ir.node("Transpose", [rows.outputs[0]], {"perm": [1, 0]})]
