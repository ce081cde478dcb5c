"""The OpenAPI description: true, and no request that it allows or forbids is an internal error."""

from __future__ import annotations

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="pip install schemathesis")
from hypothesis import HealthCheck, settings  # noqa: E402

REMOTE = "/v2/repository/models"


@pytest.fixture(scope="module")
def described(served):
    return schemathesis.openapi.from_url(f"{served.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("described")


@schema.exclude(path_regex=REMOTE).parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_is_an_internal_error(case):
    case.call_and_validate()
