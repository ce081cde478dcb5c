"""YAML that is as large as it looks: a name that stands for much (an alias) is counted as often as it is used."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

DEEPEST = 50
LARGEST = 200_000
"""Values, each counted as often as an alias repeats it."""


class BoundedLoader(yaml.SafeLoader):
    """Reads plain values; refuses what is nested deeply, holds itself, or becomes enormous by its aliases."""

    def get_single_node(self) -> yaml.Node | None:
        """Return the document, before anything is made of it.

        Raises:
            yaml.YAMLError: it is nested too deeply or stands for too much.
        """
        node = super().get_single_node()
        if node is not None:
            _size(node, {}, 0)
        return node


def _size(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Return how many values a node stands for; each is looked at once."""
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
