"""The OpenAPI description: true, and no request that it allows or forbids is an internal error."""

from __future__ import annotations

from contextlib import suppress

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="pip install schemathesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis.errors import Unsatisfiable  # noqa: E402
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.config import SchemathesisConfig  # noqa: E402
from schemathesis.specs.openapi import checks as openapi  # noqa: E402

CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
]
# what is too large is refused as such, before anybody looks at what is wrong with it
REFUSED = {"expected-statuses": ["400", "404", "405", "413", "415", "422"]}
CONFIG = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": REFUSED}})
CHANGING = "/v2/repository/models"
EXAMPLES = 10


def test_the_description_is_true_whatever_is_asked(served):
    described = schemathesis.openapi.from_url(f"{served.url}/openapi.json", config=CONFIG)
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 12
    for operation in operations:
        if operation.path.startswith(CHANGING):
            continue
        for mode in GenerationMode:
            _check(operation.as_strategy(generation_mode=mode))


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/models/{name}/ready"), ("POST", "/v2/repository/index")])
def test_every_field_of_a_state_is_described(served, method, path):
    described = served.client.get("/openapi.json").json()["paths"][path][method.lower()]["responses"]["200"]
    schema = described["content"]["application/json"]["schema"]
    name = served.client.get("/models").json()[0]["name"]
    answer = served.client.request(method, path.format(name=name)).json()
    fields, one = (schema["items"], answer[0]) if isinstance(answer, list) else (schema, answer)
    assert set(fields["required"]) == set(one)
    assert all(fields["properties"].values())


def _check(cases) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def check(case) -> None:
        case.call_and_validate(checks=CHECKS)

    # where there is nothing to be sent, nothing can be sent that is wrong
    with suppress(Unsatisfiable):
        check()
