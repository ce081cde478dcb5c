"""Errors come back from the processes of a pool as they left."""

from __future__ import annotations

import pickle

import pytest

from gatewise import errors
from gatewise.http.errors import RequestError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GatewiseError)]
MADE = [kind("a line") for kind in KINDS if kind is not errors.MissingExtraError]


@pytest.mark.parametrize(
    "error", [*MADE, errors.MissingExtraError("serve", "serving"), RequestError("too large", 413)], ids=repr
)
def test_every_error_can_be_pickled(error: errors.GatewiseError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
