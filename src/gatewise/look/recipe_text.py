"""A proposal as a recipe: YAML with a reason as a comment beside every choice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from gatewise.declare import to_dict
from gatewise.look.proposal import Choice, Proposal

BESIDE = 64
"""Column in which comments begin; longer lines have theirs right behind."""


def recipe_text(proposal: Proposal, table: Any, output: str) -> str:
    """Return a recipe that trains as it is.

    Args:
        proposal: what to write.
        table: path of the table, relative to the recipe; or an address, a list, a mapping with a query.
        output: folder of the run.
    """
    return "\n".join(_lines(proposal, table, output)) + "\n"


def _lines(proposal: Proposal, table: Any, output: str) -> Iterator[str]:
    yield f"# Proposed from {_plain(proposal.name)}: read the reasons, change what you know better."
    for remark in proposal.remarks:
        yield f"# NOTE: {_plain(remark)}"
    yield ""
    yield "data:"
    yield f"  table: {_flow(table)}"
    yield _with_reason(f"  split: {_flow(to_dict(proposal.split, defaults=False))}", proposal.why_split)
    yield ""
    yield "features:"
    yield from map(_item, proposal.features)
    if proposal.left_out:
        yield "  # left out:"
        for each in proposal.left_out:
            yield f"  #   {_plain(_flow(each.column))}: {_plain(each.reason)}"
    yield ""
    yield "tasks:"
    yield from map(_item, proposal.tasks)
    yield ""
    if proposal.group is None:
        yield f"# group: {_plain(proposal.why_group)}"
    else:
        yield _with_reason(f"group: {_flow(proposal.group)}", f"{proposal.why_group}; metrics within it, such as GAUC")
    yield ""
    yield "# model, balance and training follow from the table where they are not declared: docs/training.md"
    yield f"output: {_flow(output)}"


def _item(choice: Choice) -> str:
    given = to_dict(choice.declared, defaults=False)
    # a width says how large the model is: it stands there also where it is the default
    width = {"dim": choice.declared.dim} if choice.declared.kind in ("categorical", "sequence") else {}
    declared = {"kind": choice.declared.kind, "name": given.pop("name"), **width, **given}
    return _with_reason(f"  - {_flow(declared)}", choice.reason)


def _with_reason(line: str, reason: str) -> str:
    return f"{line:<{BESIDE}}  # {_plain(reason)}"


def _flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(text: str) -> str:
    """Return a text without what would end a comment."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
