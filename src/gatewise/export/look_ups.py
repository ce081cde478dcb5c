"""Raw values of categories become rows of a vocabulary, by nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.data import NumberedVocabulary
from gatewise.export.ports import Keys
from gatewise.layout import NULL, OUT_OF_VOCABULARY, PADDING, RESERVED_ROWS

if TYPE_CHECKING:
    import onnx_ir as ir


def look_up(raw: ir.Value, keys: Keys) -> list[ir.Node]:
    """Return the nodes of a look-up; the last node gives the rows of values."""
    if isinstance(keys.vocabulary, NumberedVocabulary):
        return [*_shifted(raw, keys, keys.vocabulary.count)]
    import onnx_ir as ir

    known = zip(keys.vocabulary.values.to_pylist(), range(RESERVED_ROWS, keys.vocabulary.rows), strict=True)
    # a row that is free has no value
    learnt = {value: row for value, row in known if value is not None}
    row_of = {**learnt, keys.null: NULL, **dict.fromkeys(_paddings(keys), PADDING)}
    values, rows = [*row_of], [*row_of.values()]
    kind = "keys_strings" if isinstance(keys.null, str) else "keys_int64s"
    attributes: dict[str, Any] = {kind: values, "values_int64s": rows, "default_int64": OUT_OF_VOCABULARY}
    return [ir.node("LabelEncoder", [raw], attributes, domain="ai.onnx.ml")]


def _paddings(keys: Keys) -> list[int | str]:
    return [keys.padding, *([] if keys.no_item is None else [keys.no_item])]


def _shifted(raw: ir.Value, keys: Keys, count: int) -> Iterator[ir.Node]:
    """Yield nodes that move ids behind the reserved rows; ids out of range become out of vocabulary."""
    import onnx_ir as ir

    def constant(value: int | str) -> ir.Node:
        return ir.node("Constant", [], {"value": ir.tensor(np.array(value, dtype=np.int64))})

    first, end, shift, null, of_null, of_padding, of_others = map(
        constant, (0, count, RESERVED_ROWS, keys.null, NULL, PADDING, OUT_OF_VOCABULARY)
    )
    paddings = [constant(value) for value in _paddings(keys)]
    yield from (first, end, shift, null, of_null, of_padding, of_others, *paddings)
    found = of_others.outputs[0]
    above, below = ir.node("GreaterOrEqual", [raw, first.outputs[0]]), ir.node("Less", [raw, end.outputs[0]])
    inside = ir.node("And", [above.outputs[0], below.outputs[0]])
    rows = ir.node("Add", [raw, shift.outputs[0]])
    chosen = ir.node("Where", [inside.outputs[0], rows.outputs[0], found])
    yield from (above, below, inside, rows, chosen)
    # last, because a declared padding may be an id
    for wanted, row in ((null, of_null), *((padding, of_padding) for padding in paddings)):
        same = ir.node("Equal", [raw, wanted.outputs[0]])
        chosen = ir.node("Where", [same.outputs[0], row.outputs[0], chosen.outputs[0]])
        yield from (same, chosen)
