"""A trunk's constructor and its declaration name the same options with the same defaults: they are declared once."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_args

import pytest
import torch

from gatewise import declare
from gatewise.assembly import Surroundings, build_trunk
from gatewise.assembly.trunks import NOT_THE_TRUNKS, RESOLVED, TRUNKS
from gatewise.layout import Layout
from gatewise.nn import InputLayer

REQUIRED = {
    declare.AITM: {"order": ("buy", "click")},
    declare.HoME: {"groups": {"both": ("click", "buy")}},
    declare.PEPNet: {"scenario": ("hour",), "priors": ("age", "price")},
}

AROUND = Surroundings(InputLayer(Layout(floats=("age", "price", "hour"))), ("click", "buy"))


@pytest.mark.parametrize("architecture", TRUNKS, ids=lambda cls: cls.__name__)
def test_trunk_and_declaration_agree_on_options_and_defaults(architecture):
    parameters = inspect.signature(TRUNKS[architecture]).parameters.values()
    # what embedding sets are where follows from the input layer
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "sets"}
    declared = {field.name: field.default for field in fields(architecture) if field.name not in NOT_THE_TRUNKS}
    assert options.keys() == declared.keys()
    # what is resolved is declared by names or as a declaration of its own
    as_they_are = options.keys() - RESOLVED.keys()
    assert {name: options[name] for name in as_they_are} == {name: declared[name] for name in as_they_are}
    assert [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY] == ["input_dim", "num_tasks"]


def test_every_architecture_has_a_trunk():
    union = get_args(get_args(declare.AnyArchitecture)[0])
    assert set(union) == set(TRUNKS)


@pytest.mark.parametrize("architecture", TRUNKS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh", "leaky_relu"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_every_declared_choice_builds(architecture, activation, norm):
    needed = REQUIRED.get(architecture, {})
    trunk = build_trunk(architecture(**needed, activation=activation, norm=norm, dropout=0.1), AROUND)
    assert trunk(torch.ones(4, 3)).shape == (4, 2, trunk.output_dim)
