"""What stands in deploy/ fits the service: its arguments start it, its health checks pass, its names are served."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
KUBERNETES, SERVICE = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
KSERVE = yaml.safe_load((DEPLOY / "kserve.yaml").read_text(encoding="utf-8"))
CONTAINERS = {
    "kubernetes": KUBERNETES["spec"]["template"]["spec"]["containers"][0],
    "kserve": KSERVE["spec"]["predictor"]["containers"][0],
}


def listed(instruction: str) -> list[str]:
    """Return the words of an instruction of the Dockerfile."""
    (words,) = re.findall(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return list(json.loads(words))


def test_the_image_runs_as_nobody_of_rights_and_is_built_from_the_wheel() -> None:
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["gatewise"]
    assert "COPY constraints.txt dist/" in DOCKERFILE
    assert KUBERNETES["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize("manifest", CONTAINERS)
def test_the_service_starts_as_declared_is_healthy_and_called_by_its_name(manifest: str, shelf, serving) -> None:
    container: dict[str, Any] = CONTAINERS[manifest]
    command, serve, *fixed = listed("ENTRYPOINT")
    assert (command, serve) == ("gatewise", "serve")
    assert fixed[-2:] == ["--port", str(container["ports"][0]["containerPort"])]
    allowed = container["args"][container["args"].index("--allowed-host") :]
    with serving(f"first={shelf.folder / 'first'}", *fixed[:-2], *allowed) as running:
        for probe in ("readinessProbe", "livenessProbe"):
            path = container.get(probe, container["readinessProbe"])["httpGet"]["path"]
            assert running.client.get(path).status_code == 200
        name = allowed[1].replace("*", "ranker")
        assert running.client.get("/v2", headers={"Host": name}).status_code == 200
        assert running.client.get("/v2", headers={"Host": "elsewhere.org"}).status_code == 421
        (check,) = re.findall(r"^ +CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
        port = running.url.rpartition(":")[2]
        words = [sys.executable, *json.loads(check)[1:-1], json.loads(check)[-1].replace("8000", port)]
        assert subprocess.run(words, check=False, timeout=60).returncode == 0
    assert subprocess.run(words, check=False, timeout=60, stderr=subprocess.DEVNULL).returncode != 0


def test_what_is_watched_is_what_is_mounted() -> None:
    container = CONTAINERS["kubernetes"]
    (mounted,) = (each["mountPath"] for each in container["volumeMounts"])
    assert container["args"][:2] == ["--watch", f"movielens={mounted}"]
    assert SERVICE["spec"]["ports"][0]["targetPort"] == container["ports"][0]["containerPort"]
