"""What scikit-learn's checks do not ask: frames, searches, pipelines, pickles, weights, several targets."""

from __future__ import annotations

import pickle
import pickletools
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gatewise as gw
from gatewise.errors import ArtefactError, DeclarationError, TableError
from gatewise.sklearn import GatewiseClassifier, GatewiseRegressor, MultiTaskRanker
from gatewise.sklearn.saved import Saved

ROWS = 200
SMALL = gw.SharedBottom(bottom_dims=[16], tower_dims=[8])
QUICK = {"epochs": 8, "batch_size": 32, "lr": 0.02}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns = {
        "city": rng.choice(["Rome", "Oslo", "Bern"], ROWS),
        "age": rng.normal(40, 10, ROWS),
        "member": rng.random(ROWS) > 0.5,
        "code": pd.Categorical(rng.integers(0, 4, ROWS)),
        "user": rng.integers(0, 20, ROWS),
    }
    # an index called like a column, as groupby leaves it behind
    table = pd.DataFrame(columns, index=pd.RangeIndex(100, 100 + ROWS, name="age"))
    table.loc[105, "age"] = np.nan
    table.loc[106, "city"] = None
    return table


@pytest.fixture(scope="module")
def buys(frame) -> pd.Series:
    return frame.city.eq("Rome").map({True: "yes", False: "no"}).rename("buys")


@pytest.fixture(scope="module")
def classifier(frame, buys) -> GatewiseClassifier:
    return GatewiseClassifier(SMALL, **QUICK).fit(frame, buys)


def test_columns_of_a_frame_become_what_their_types_say(classifier, frame, buys):
    kinds = {feature.name: feature.kind for feature in classifier.ranker_.schema.features}
    numbers = {"age": "numeric", "user": "numeric"}
    assert kinds == {"city": "categorical", "member": "categorical", "code": "categorical"} | numbers
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert classifier.feature_names_in_.tolist() == list(frame.columns)
    assert classifier.score(frame, buys) > 0.95
    assert classifier.n_iter_ == 8


def test_every_kind_of_frame_predicts_alike(classifier, frame):
    expected = classifier.predict_proba(frame)
    for other in (pl.from_pandas(frame.reset_index(drop=True)), pa.Table.from_pandas(frame, preserve_index=False)):
        assert np.array_equal(classifier.predict_proba(other), expected)


def test_declared_features_stand_for_what_types_do_not_say(frame, buys):
    estimator = GatewiseClassifier(SMALL, features=[gw.Categorical("user", dim=4)], **QUICK | {"epochs": 1})
    kinds = {feature.name: feature.kind for feature in estimator.fit(frame, buys).ranker_.schema.features}
    assert kinds["user"] == "categorical"
    assert kinds["age"] == "numeric"


def test_a_matrix_of_texts_and_numbers_has_columns_of_both():
    X = np.array([["a", 1.0], ["b", 2.0], ["a", np.nan], ["b", 4]] * 10, dtype=object)
    fitted = GatewiseClassifier(SMALL, **QUICK | {"epochs": 1}).fit(X, [0, 1] * 20)
    assert [feature.kind for feature in fitted.ranker_.schema.features] == ["categorical", "numeric"]
    assert fitted.predict_proba(X[:3]).shape == (3, 2)


def test_splits_searches_and_pipelines_take_an_estimator(frame, buys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 3))
    y = np.where(X[:, 0] > 0, "up", np.where(X[:, 1] > 0, "flat", "down"))
    model = GatewiseClassifier(SMALL, **QUICK)
    assert cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=2, scoring="roc_auc_ovr").min() > 0.9
    grid = {"model": [SMALL, gw.MMoE(experts=2, expert_dims=[4])], "epochs": [1, 8]}
    found = GridSearchCV(GatewiseRegressor(**QUICK), grid, cv=2).fit(X, X[:, :2])
    assert found.best_params_["epochs"] == 8
    scaled = make_column_transformer(
        (StandardScaler(), ["age"]), remainder="passthrough", verbose_feature_names_out=False
    )
    piped = make_pipeline(scaled.set_output(transform="pandas"), clone(model)).fit(frame, buys)
    assert piped.score(frame, buys) > 0.9


def test_a_pickle_holds_an_artefact_and_predicts_the_same_in_another_process(classifier, frame, tmp_path):
    content = pickle.dumps(classifier)
    texts = {argument for _, argument, _ in pickletools.genops(content) if isinstance(argument, str)}
    assert {"manifest.json", "weights.safetensors"} <= texts
    assert not any(text.startswith(("torch", "gatewise.nn", "gatewise.ranker")) for text in texts)
    (tmp_path / "model.pickle").write_bytes(content)
    frame.to_pickle(tmp_path / "frame.pickle")
    script = (
        "import pickle, sys; read = lambda name: pickle.load(open(name, 'rb')); "
        "print(read('model.pickle').predict_proba(read('frame.pickle'))[:, 1].tolist())"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert np.allclose(eval(found.stdout), classifier.predict_proba(frame)[:, 1], atol=1e-6)


def test_a_damaged_pickle_is_refused(classifier):
    saved = Saved.of(classifier.ranker_)
    saved.files["weights.safetensors"] = saved.files["weights.safetensors"][:-1] + b"x"
    with pytest.raises(ArtefactError, match="not what was saved"):
        saved.ranker()


def test_targets_of_several_types_keep_them(frame, buys):
    y = pd.DataFrame({"buys": buys, "old": (frame.age > 40).astype(int)})
    fitted = GatewiseClassifier(SMALL, **QUICK).fit(frame, y)
    assert [known.tolist() for known in fitted.classes_] == [["no", "yes"], [0, 1]]
    predicted = fitted.predict(frame)
    assert {type(value) for value in predicted[:, 1]} <= {int, np.int64}
    right = (predicted == y.to_numpy()).all(axis=1)
    assert fitted.score(frame, y) == pytest.approx(right.mean())
    assert right.mean() > 0.7
    assert [p.shape for p in fitted.predict_proba(frame)] == [(ROWS, 2), (ROWS, 2)]


def test_weights_steer_and_rows_of_weight_zero_are_absent():
    X, y = np.zeros((120, 1)), np.array([0.0, 10.0] * 60)
    heavy = GatewiseRegressor(SMALL, **QUICK | {"epochs": 40})
    assert heavy.fit(X, y, sample_weight=np.where(y > 0, 3.0, 1.0)).predict(X[:1])[0] == pytest.approx(7.5, abs=1)
    kept = np.arange(120) < 60
    some = clone(heavy).fit(X[kept], y[kept] + X[kept, 0])
    zeros = clone(heavy).fit(X, y, sample_weight=kept.astype(float))
    assert np.array_equal(some.predict(X), zeros.predict(X))


def test_tasks_of_several_kinds_and_missing_labels(frame, buys):
    spent = (frame.age.fillna(30) * 2).where(np.arange(ROWS) > 30)
    y = pd.DataFrame({"buys": buys.eq("yes").astype(int), "spent": spent, "city": frame.city.fillna("Rome")})
    ranker = MultiTaskRanker(gw.MMoE(experts=2, expert_dims=[8]), group="user", validation_fraction=0.2, **QUICK)
    fitted = ranker.fit(frame.drop(columns="city"), y.assign(member=buys.eq("yes")))
    tasks = [(task.name, task.kind) for task in fitted.ranker_.schema.tasks]
    expected = [("buys", "binary"), ("spent", "regression"), ("city", "multiclass"), ("member_", "binary")]
    assert tasks == expected
    assert fitted.outputs_.tolist() == ["buys", "spent", "city[Bern]", "city[Oslo]", "city[Rome]", "member_"]
    X = frame.drop(columns="city")
    assert fitted.predict(X).shape == (ROWS, 6)
    found = fitted.ranker_.evaluate(pa.Table.from_pandas(X.assign(**y, member_=buys.eq("yes")), preserve_index=False))
    main = [found["buys"]["auc"], found["spent"]["r2"], found["city"]["accuracy"], found["member_"]["auc"]]
    assert fitted.score(X, y.assign(member=buys.eq("yes"))) == pytest.approx(np.mean(main), abs=0.2)
    assert "user" not in {feature.name for feature in fitted.ranker_.schema.features}
    assert cross_val_score(clone(ranker).set_params(group=None), frame, y[["buys", "spent"]], cv=2).shape == (2,)


def test_declared_tasks_of_a_funnel():
    X, click = np.arange(80.0).reshape(-1, 1), np.array([0, 1, 1, 1] * 20)
    y = pd.DataFrame({"click": click, "buy": click * np.array([0, 1] * 40)})
    tasks = [gw.Binary("click"), gw.Binary("buy", after="click")]
    fitted = MultiTaskRanker(SMALL, tasks=tasks, **QUICK | {"epochs": 1}).fit(X, y)
    assert fitted.outputs_.tolist() == ["click", "buy_given_click", "click_and_buy"]


def test_a_state_draws_a_seed_and_a_number_is_one():
    X, y = np.arange(60.0).reshape(-1, 1), np.arange(60.0)

    def predicted(state):
        return GatewiseRegressor(SMALL, **QUICK | {"epochs": 1}, random_state=state).fit(X, y).predict(X)

    assert np.array_equal(predicted(3), predicted(np.int64(3)))
    assert np.array_equal(predicted(np.random.RandomState(0)), predicted(np.random.RandomState(0)))
    assert not np.array_equal(predicted(3), predicted(4))


Y = [0, 1] * 20
X = np.arange(40.0).reshape(-1, 1)
FRAME = pd.DataFrame({"age": X[:, 0], "user": Y})


@pytest.mark.parametrize(
    ("kind", "options", "X", "y", "error", "said"),
    [
        (GatewiseClassifier, {"training": {"epoch": 3}}, X, Y, DeclarationError, "did you mean 'epochs'"),
        (GatewiseClassifier, {"model": "mmo"}, X, Y, DeclarationError, "did you mean 'mmoe'"),
        (
            GatewiseClassifier,
            {"features": [gw.Categorical("usr")]},
            FRAME,
            Y,
            DeclarationError,
            "features: X has no column 'usr'; did you mean 'user'",
        ),
        (GatewiseClassifier, {}, FRAME.assign(t=pd.Timestamp("2024-01-01")), Y, TableError, "feature 't' is a time"),
        (GatewiseClassifier, {}, X, ["a"] * 40, ValueError, "'y' has one class only, 'a'"),
        (GatewiseClassifier, {}, X, [None, *Y[1:]], ValueError, "missing value in row 0"),
        (GatewiseClassifier, {}, FRAME.assign(age=np.inf), Y, ValueError, "feature 'age' has infinity in row 0"),
        (GatewiseClassifier, {}, [["a", np.inf]] * 40, Y, ValueError, "feature 'x1' has infinity in row 0"),
        (GatewiseClassifier, {}, FRAME[:0], [], ValueError, r"found the shape \(0, 2\)"),
        (GatewiseRegressor, {"validation_fraction": 2}, X, Y, DeclarationError, "validation_fraction: .* found 2"),
        (MultiTaskRanker, {"tasks": [gw.Binary("y1")]}, X, Y, DeclarationError, "no column 'y1'; did you mean 'y'"),
        (MultiTaskRanker, {"group": "usr"}, FRAME, Y, DeclarationError, "group: X has no column 'usr'; did you mean"),
        (MultiTaskRanker, {}, X, ["a"] * 40, TableError, "label 'y' has one value only"),
    ],
)
def test_errors_name_what_is_wrong(kind, options, X, y, error, said):
    with pytest.raises(error, match=said):
        kind(**options).fit(X if isinstance(X, (pd.DataFrame, np.ndarray)) else np.array(X, dtype=object), y)


def test_scikit_learns_own_errors_and_warnings(classifier, frame):
    with pytest.raises(NotFittedError):
        MultiTaskRanker().score(X, Y)
    with pytest.raises(ValueError, match="names should match"):
        classifier.predict(frame[["age"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        classifier.predict(frame.to_numpy())
    with pytest.warns(DataConversionWarning):
        GatewiseRegressor(SMALL, **QUICK | {"epochs": 1}).fit(X, np.array([Y], dtype=float).T)
