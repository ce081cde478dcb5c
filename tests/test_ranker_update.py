"""A ranker is trained further, or begins anew and says so; and it goes where scikit-learn sends it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import gatewise as gw
from gatewise.errors import DeclarationError, TableError

SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=[gw.Binary("click", weight_column="w")])


def day(users: np.ndarray, seed: int, rows: int = 1500) -> dict[str, list[float]]:
    """Return clicks of users: those with odd numbers click, the others do not."""
    rng = np.random.default_rng(seed)
    user = rng.choice(users, rows)
    click = rng.random(rows) < np.where(user % 2, 0.9, 0.1)
    return {"user": user.tolist(), "click": click.astype(int).tolist(), "w": [1.0] * rows}


def make(**options: object) -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    return gw.Ranker(SCHEMA, model, **{"epochs": 6, "batch_size": 64, "lr": 0.02, **options})


def gap(ranker: gw.Ranker, users: range) -> float:
    """Return how much likelier odd users click than even ones."""
    found = ranker.predict({"user": list(users)})["click"].to_numpy()
    odd = np.array(users) % 2 == 1
    return float(found[odd].mean() - found[~odd].mean())


def test_a_new_day_is_learnt_and_the_old_one_kept(tmp_path):
    make().fit(day(np.arange(60), 0)).save(tmp_path / "model")
    ranker = gw.load(tmp_path / "model")
    before = ranker.predict({"user": list(range(60))})
    today = day(np.arange(50, 100), 1)
    assert ranker.extend_vocabulary(today) == {"user": 40}
    assert gap(ranker, range(60, 100)) == 0
    scorer = ranker.scorer
    ranker.update(today, day(np.arange(50, 100), 2))
    assert gap(ranker, range(60, 100)) > 0.5
    assert gap(ranker, range(50)) > 0.5
    # whoever goes on with the old scorer sees what it saw
    assert scorer.predict({"user": list(range(60))}) == before
    assert len(ranker.history) == 3
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(today) == ranker.predict(today)


def test_row_weights_count_in_an_update():
    ranker = make(epochs=3).fit(day(np.arange(20), 0))
    against = day(np.arange(20), 1)
    against["click"] = [1 - click for click in against["click"]]
    against["w"] = [0.0 if i else 1e-6 for i in range(len(against["w"]))]
    assert gap(ranker.update(against), range(20)) > 0.5
    against["w"] = [1.0] * len(against["w"])
    assert gap(ranker.update(against, epochs=5, lr=0.02), range(20)) < 0


def test_what_was_learnt_is_forgotten_only_where_it_is_asked_for(tmp_path):
    ranker = make(epochs=1).fit(day(np.arange(20), 0))
    ranker.save(tmp_path / "model")
    for fitted in (ranker, gw.load(tmp_path / "model")):
        before = fitted.predict({"user": [1]})
        with pytest.raises(gw.GatewiseError, match=r"learnt already.*update trains it further.*fresh=True"):
            fitted.fit(day(np.arange(20), 0))
        assert fitted.predict({"user": [1]}) == before
        fitted.fit(day(np.arange(20), 0), fresh=True)
    with pytest.raises(gw.GatewiseError, match="not fitted"):
        make().update(day(np.arange(20), 0))


def test_where_it_scores(tmp_path):
    ranker = make(epochs=1).fit(day(np.arange(20), 0))
    ranker.save(tmp_path / "model")
    assert ranker.to("cpu") is ranker
    assert gw.load(tmp_path / "model", device="cpu").predict({"user": [1]}) == ranker.predict({"user": [1]})
    for wrong in (lambda: ranker.to("cuda:77"), lambda: gw.load(tmp_path / "model", device="gpu")):
        with pytest.raises(gw.GatewiseError, match="device '"):
            wrong()


def test_scikit_learn_clones_splits_and_searches():
    table = pd.DataFrame(day(np.arange(20), 0))
    fitted = make(epochs=2, lr=0.05).fit(table)
    copy = clone(fitted)
    assert (copy.schema, copy.declared) == (fitted.schema, fitted.declared)
    with pytest.raises(gw.GatewiseError, match="not fitted"):
        copy.predict(table)
    scores = cross_val_score(
        make(), table, table["click"], cv=2, scoring=lambda ranker, x, _: ranker.evaluate(x)["click"]["auc"]
    )
    assert (scores > 0.75).all()
    params = make(lr=0.05).get_params()
    assert params["lr"] == 0.05
    assert make().set_params(**params).options == make(lr=0.05).options
    with pytest.raises(DeclarationError, match="did you mean 'lr'"):
        make().set_params(lrr=1)


def test_a_column_of_labels_beside_a_table_without_them_is_refused():
    table = pd.DataFrame(day(np.arange(20), 0))
    with pytest.raises(TableError, match="fit: labels are columns of the training table, add 'click' to it"):
        make().fit(table[["user", "w"]], table["click"])
