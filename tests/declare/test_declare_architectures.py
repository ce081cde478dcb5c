"""A trunk's constructor and its declaration name the same options with the same defaults: they are declared once."""

from __future__ import annotations

import inspect
from dataclasses import asdict, fields, replace
from typing import get_args

import pytest
import torch

from gatewise import declare
from gatewise.assembly import TrunkContext, build_trunk
from gatewise.assembly.trunks import NOT_THE_TRUNKS, RESOLVED, TRUNKS
from gatewise.declare.architectures.architecture import Activation
from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import InputLayer, Padded

REQUIRED = {
    declare.FacetAwareMoE: {"facet": "hour"},
    declare.AITM: {"order": ("buy", "click")},
    declare.HoME: {"groups": {"both": ("click", "buy")}},
    declare.PEPNet: {"scenario": ("hour",), "priors": ("age", "price")},
}

FLOATS = ("age", "price", "hour")
AROUND = TrunkContext(InputLayer(Layout(floats=FLOATS)), ("click", "buy"))
WITH_SEQUENCE = Layout((EmbeddingField("history", 9, 5),), (), (ListColumn("history", 0, None),), FLOATS)


def defaults_of(architecture):
    return {field.name: field.default for field in fields(architecture)}


@pytest.mark.parametrize("architecture", TRUNKS, ids=lambda cls: cls.__name__)
def test_trunk_and_declaration_agree_on_options_and_defaults(architecture):
    parameters = inspect.signature(TRUNKS[architecture]).parameters.values()
    derived = ("sets", "sequence_dim", "sequence")
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in derived}
    hidden = options.pop("hidden")
    common = {name: default for name, default in defaults_of(architecture).items() if name in asdict(hidden)}
    assert asdict(hidden) == common
    assert options.pop("gate_hidden", None) is None
    of_others = {*NOT_THE_TRUNKS, *derived}
    declared = {field.name: field.default for field in fields(architecture) if field.name not in of_others}
    assert options.keys() == declared.keys()
    # what is resolved is declared by names or as a declaration of its own
    as_they_are = options.keys() - RESOLVED.keys()
    assert {name: options[name] for name in as_they_are} == {name: declared[name] for name in as_they_are}
    assert [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY] == ["input_dim", "num_tasks"]


def test_every_architecture_has_a_trunk():
    union = get_args(get_args(declare.AnyArchitecture)[0])
    assert set(union) == set(TRUNKS)


@pytest.mark.parametrize("architecture", TRUNKS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("activation", get_args(Activation))
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_every_declared_choice_builds(architecture, activation, norm):
    needed = REQUIRED.get(architecture, {})
    declared = architecture(**needed, activation=activation, norm=norm, dropout=0.1)
    around = replace(AROUND, input_layer=InputLayer(WITH_SEQUENCE)) if declared.reads_sequences else AROUND
    trunk = build_trunk(declared, around)
    sequences = [Padded(torch.ones(4, 6, 5), torch.ones(4, 6, dtype=torch.bool))] * trunk.num_sequences
    assert trunk(torch.ones(4, 3), *sequences).shape == (4, 2, trunk.output_dim)
