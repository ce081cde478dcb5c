"""An artefact that an earlier version wrote is read, and predicts what it predicted then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gatewise as gw

EARLIER = Path(__file__).parent / "earlier"


@pytest.mark.parametrize("which", ["every_feature", "events"])
def test_an_earlier_artefact_predicts_what_it_did(which: str, tmp_path: Path) -> None:
    expected = json.loads((EARLIER / which / "expected.json").read_text(encoding="utf-8"))
    columns = {name: [row[name] for row in expected["rows"]] for name in expected["rows"][0]}
    ranker = gw.load(EARLIER / which / "artefact")
    found = ranker.predict(columns, calibrated=True).to_pydict()
    assert found.keys() == expected["predictions"].keys()
    for name, values in expected["predictions"].items():
        assert found[name] == pytest.approx(values, abs=1e-6), name
    # every kind of feature knows what it had learnt
    assert ranker.evaluate(columns)["click"]["auc"] is not None
    assert ranker.scorer.encoder.vocabularies["user"].rows > 2
    # saved again, it is of today's format and knows the same
    ranker.save(tmp_path / "again")
    again = gw.load(tmp_path / "again")
    assert again.scorer.encoder.state() == ranker.scorer.encoder.state()
    assert again.predict(columns, calibrated=True).to_pydict() == found
