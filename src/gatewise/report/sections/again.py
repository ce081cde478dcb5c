"""Section: how to train the same model again."""

from __future__ import annotations

from typing import Any

import yaml

from gatewise import declare
from gatewise.provenance import Provenance
from gatewise.report.blocks import Block, Code, Facts, Note, Section, Value
from gatewise.report.findings import Findings


def again(found: Findings) -> Section:
    """Return command, versions, seed and recipe."""
    blocks: list[Block] = [Facts([("seed", found.options.training.seed), *_origin(found.provenance)])]
    if found.recipe is not None:
        blocks += [Code("gatewise train recipe.yaml", "Command"), Code(_text(found.recipe), "recipe.yaml")]
    else:
        said = "The model was trained from Python. A recipe for it, but for data, which names your tables:"
        parts = {name: _short(getattr(found.options, name)) for name in ("model", "balance", "training")}
        schema = _short(found.schema)
        text = yaml.safe_dump(schema | parts, sort_keys=False, allow_unicode=True, width=110)
        blocks += [Note(said), Code(text, "recipe.yaml")]
    intro = "The same seed, versions, rows and machine give the same numbers."
    return Section("again", "How to make this again", intro, blocks, folded=True)


def _origin(known: Provenance | None) -> list[tuple[str, Value]]:
    """Return when the model was trained, by which versions and commit, on which rows, and from which trainings."""
    if known is None:
        return [("versions", "not known: the artefact was written by an earlier version")]
    facts: list[tuple[str, Value]] = [*known.versions.items()]
    facts += [(name, value) for name, value in (("trained", known.trained), ("git commit", known.commit)) if value]
    for part, rows in known.data.items():
        period = "" if rows.time is None else f", {rows.time} {rows.begin} to {rows.end}"
        digest = "" if rows.digest is None else f", digest {rows.digest[:12]}"
        facts.append((f"{part} rows", f"{rows.rows:,}{period}{digest}"))
    if known.parents:
        facts.append(("updated from", ", then ".join(each.trained or "a time not known" for each in known.parents)))
    return facts


def _text(recipe: declare.Recipe) -> str:
    return yaml.safe_dump(_short(recipe), sort_keys=False, allow_unicode=True, width=110)


def _short(declared: Any) -> Any:
    """Return a declaration as one would write it: without defaults, but with the kinds of its parts."""
    return _written(declare.to_dict(declared), declare.to_dict(declared, defaults=False))


def _written(whole: Any, short: Any) -> Any:
    if isinstance(whole, dict) and isinstance(short, dict):
        kind = {"kind": whole["kind"]} if "kind" in whole else {}
        return kind | {name: _written(whole[name], value) for name, value in short.items()}
    if isinstance(whole, list) and isinstance(short, list) and len(whole) == len(short):
        return [_written(one, other) for one, other in zip(whole, short, strict=True)]
    return short
