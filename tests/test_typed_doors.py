"""Help and types name every option; that mypy refuses others is seen by ``make lint``: ``typed/typed_options.py``."""

from __future__ import annotations

import inspect
import typing

import pytest

import gatewise as gw
from gatewise import declare


@pytest.mark.parametrize(
    ("options", "declaration"), [(declare.TrainingOptions, declare.Training), (declare.UpdateOptions, declare.Update)]
)
def test_typed_options_are_the_declared_ones(options: type, declaration: type) -> None:
    typed = typing.get_type_hints(options)
    declared = typing.get_type_hints(declaration)
    assert typed.keys() == declared.keys()
    for name, hint in typed.items():
        # a schedule may also be named
        named = {"step", "cosine", "plateau"} if name == "schedule" else set()
        assert set(_leaves(hint)) == set(_leaves(declared[name])) | named, name


def _leaves(hint: object) -> list[object]:
    parts = typing.get_args(hint)
    return [hint] if not parts else [leaf for part in parts for leaf in _leaves(part)]


@pytest.mark.parametrize("name", ["epochs", "batch_size", "lr", "seed"])
def test_help_shows_every_option(name: str) -> None:
    signature = inspect.signature(gw.Ranker)
    assert list(signature.parameters)[:4] == ["schema", "model", "balance", "fusion"]
    assert list(signature.parameters)[4:] == list(declare.TrainingOptions.__annotations__)
    assert signature.parameters[name].default == getattr(declare.Training(), name)
