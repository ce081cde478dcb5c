"""``gatewise doctor``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gatewise.machine.doctor import Examination
    from gatewise.machine.extras import Extra


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show versions, kernels, threads, devices, memory and optional packages: what runs here, and why."""
    from gatewise.machine.doctor import examine

    found = examine()
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    for topic, line in _lines(found):
        typer.echo(f"{topic:<9} {line}".rstrip())


def _lines(found: Examination) -> Iterator[tuple[str, str]]:
    """Yield every line with its topic, which only the first line of a topic shows."""
    yield "versions", ", ".join(f"{name} {version or 'unknown'}" for name, version in found.versions.items())
    yield "kernels", f"{found.kernels['run']} ({found.kernels['why']})"
    if found.kernels["path"] is not None:
        yield "", found.kernels["path"]
    waits = {name: value for name, value in found.threads.items() if name.isupper()}
    said = ", ".join(f"{name}={value}" if value else f"{name} is not set" for name, value in waits.items())
    yield "threads", f"{found.threads['compute']} of {found.threads['cores']} cores; {said}"
    yield "devices", ", ".join(found.devices)
    keeps = (
        "kept by train, compare, demo and gatewise.tune_process()"
        if found.memory["can_keep_freed_memory"]
        else ("given back as the system likes")
    )
    yield "memory", f"{found.memory['allocator']}; what is freed is {keeps}"
    for position, extra in enumerate(found.extras):
        yield "" if position else "extras", _of_extra(extra)


def _of_extra(extra: Extra) -> str:
    what = f"{extra.name:<10}{extra.purpose}: "
    if extra.missing:
        return f"{what}missing {', '.join(extra.missing)}; {extra.install}"
    return what + ", ".join(f"{name} {version}" for name, version in extra.found.items())
