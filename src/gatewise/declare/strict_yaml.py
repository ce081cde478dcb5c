"""Strict YAML: no duplicate keys, no surprising number formats, limited depth and size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from typing_extensions import override

DEEPEST = 50
LARGEST = 200_000
"""Values, each counted as often as an alias repeats it."""


MERGE = "tag:yaml.org,2002:merge"
OTHER_BASE = re.compile(r"[-+]?0[0-9_]+$|.*:")
"""What YAML 1.1 reads in base 8 or 60."""


class StrictLoader(yaml.SafeLoader):
    """Loads plain values; refuses deep nesting, documents that contain themselves, and huge documents from aliases."""

    @override
    def get_single_node(self) -> yaml.Node | None:
        """Return the document's node, before values are constructed.

        Raises:
            yaml.YAMLError: the document is nested too deeply or is too large.
        """
        node = super().get_single_node()
        if node is not None:
            _size(node, {}, 0)
        return node

    @override
    def compose_mapping_node(self, anchor: Any) -> Any:
        """Return a mapping without duplicate keys."""
        node = super().compose_mapping_node(anchor)
        line_of: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            if (key.tag, key.value) in line_of:
                first = f"first in line {line_of[key.tag, key.value]}"
                problem = f"key {key.value!r} stands there twice, {first}"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            line_of[key.tag, key.value] = key.start_mark.line + 1
        return node

    def construct_yaml_number(self, node: yaml.ScalarNode) -> Any:
        """Return a number in base 10, 2 or 16."""
        if OTHER_BASE.match(node.value):
            problem = f"{node.value} is a number in base {60 if ':' in node.value else 8}: write it in base 10"
            raise yaml.MarkedYAMLError(problem=f"{problem}, or a text in quotes", problem_mark=node.start_mark)
        make = self.construct_yaml_int if node.tag.endswith(":int") else self.construct_yaml_float
        return make(node)


for kind in ("int", "float"):
    StrictLoader.add_constructor(f"tag:yaml.org,2002:{kind}", StrictLoader.construct_yaml_number)


def _size(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Return the number of values in a node with its aliases expanded; visits each node once."""
    if depth > DEEPEST:
        raise yaml.MarkedYAMLError(problem=f"it is nested more than {DEEPEST} deep", problem_mark=node.start_mark)
    size = known.get(id(node))
    if size is None:
        size = 1 + sum(_size(inner, known, depth + 1) for inner in _inside(node))
        known[id(node)] = size
    if size > LARGEST:
        raise yaml.MarkedYAMLError(problem=f"it stands for more than {LARGEST:,} values", problem_mark=node.start_mark)
    return size


def _inside(node: yaml.Node) -> Iterator[yaml.Node]:
    match node:
        case yaml.SequenceNode():
            yield from node.value
        case yaml.MappingNode():
            for pair in node.value:
                yield from pair
