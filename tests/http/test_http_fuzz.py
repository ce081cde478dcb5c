"""Some of the requests of ``scripts/torture/requests.py``: whatever is asked, no answer is 5xx."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import httpx
import pytest

TORTURE = Path(__file__).parents[2] / "scripts" / "torture"


@pytest.fixture(scope="module")
def torture():
    sys.path.insert(0, str(TORTURE))
    try:
        import mutations
        import service

        yield mutations, service
    finally:
        sys.path.remove(str(TORTURE))
        for name in ("mutations", "service"):
            sys.modules.pop(name, None)


def test_no_request_is_answered_with_5xx(torture, tmp_path):
    mutations, service = torture
    random_, statuses = random.Random(1), set()
    with (
        service.running(service.save(tmp_path), "--no-admin") as running,
        httpx.Client(base_url=running.url, timeout=30) as client,
    ):
        for path, body in mutations.GOOD.items():
            assert client.post(path, json=body).status_code == 200, client.post(path, json=body).text
        for _ in range(600):
            asked = mutations.drawn(random_)
            answer = client.request(asked.method, asked.path, content=asked.body, headers=asked.headers)
            assert answer.status_code < 500, (asked, answer.text)
            assert answer.status_code < 400 or "\n" not in answer.text
            statuses.add(answer.status_code)
    assert statuses >= {200, 400, 403, 404, 405, 415, 421, 422}
