from __future__ import annotations

import pytest

from gatewise.declare import Categorical, Sequence
from gatewise.errors import DeclarationError


@pytest.mark.parametrize("kind", [Categorical, Sequence])
def test_hashing_and_counting_exclude_each_other(kind):
    with pytest.raises(DeclarationError, match=rf"^{kind.__name__}: min_count needs a vocabulary"):
        kind("a", hash_buckets=10, min_count=2)


@pytest.mark.parametrize("option", [{"hash_buckets": 10}, {"min_count": 2}])
def test_a_shared_table_is_declared_where_it_belongs(option):
    with pytest.raises(DeclarationError, match="the table is that of 'movie'"):
        Sequence("history", shares="movie", **option)
