"""true is no number, although Python and pydantic count with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gatewise as gw
from gatewise.declare import Options, from_dict
from gatewise.errors import DeclarationError


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: gw.Training(epochs=True), "epochs: expected a number, found true"),
        (lambda: gw.Training(seed=False), "seed: expected a number, found false"),
        (lambda: gw.MMoE(expert_dims=[8, True]), "expert_dims: expected a number, found true"),
        (lambda: gw.Binary("click", weight=True), "weight: expected a number, found true"),
        (lambda: from_dict(Options, {"training": {"lr": True}}), "training: lr: expected a number, found true"),
        (
            lambda: from_dict(Options, {"model": {"kind": "ple", "levels": True}}),
            "levels: expected a number, found true",
        ),
    ],
)
def test_it_is_refused_by_name(declare: Callable[[], Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        declare()
    assert "\n" not in str(caught.value)


def test_where_it_is_meant_it_is_taken() -> None:
    assert gw.Training(compile=True).compile
    assert gw.MMoE(expert_norm=True).expert_norm
    assert gw.Multiclass("seen", classes=[False, True]).classes
