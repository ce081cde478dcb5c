from __future__ import annotations

import pytest

from gatewise.declare import Options, Static, Uncertainty, from_dict
from gatewise.errors import DeclarationError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("static", Static()),
        ("uncertainty", Uncertainty()),
        ({"kind": "uncertainty", "initial_log_variance": "1e-3"}, Uncertainty(initial_log_variance=0.001)),
        (Uncertainty(initial_log_variance=2.0), Uncertainty(initial_log_variance=2.0)),
    ],
)
def test_a_rule_goes_by_name_or_declaration(given, expected):
    assert from_dict(Options, {"balance": given}).balance == expected


def test_an_unknown_rule_names_the_nearest():
    with pytest.raises(DeclarationError, match=r"Options\.balance: .*'uncertain'; did you mean 'uncertainty'\?"):
        from_dict(Options, {"balance": "uncertain"})
