"""What a service says of itself: a line per request where asked for, words while it makes ONNX, a line at its end."""

from __future__ import annotations

import re
import signal

import httpx

import commands


def ready(client: httpx.Client, process: commands.Command) -> list[str]:
    """Return the lines until the service listens."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line.rstrip())
        if "serving on" in line:
            return lines
    raise AssertionError("\n".join(lines))


def test_a_line_per_request_words_while_onnx_is_made_and_a_line_at_the_end(shelf, free_port, tmp_path):
    port = free_port()
    arguments = ["serve", f"feed={shelf.folder / 'second'}", "--port", str(port), "--access-log"]
    environment = shelf.environment() | {"XDG_CACHE_HOME": str(tmp_path)}
    process = commands.start(*arguments, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            begun = ready(client, process)
            rows = [{"user": 1, "item": f"i{i}", "tags": "a", "price": 2.0} for i in range(3)]
            client.post("/predict?secret=1", json={"rows": rows})
            client.post(
                "/rank", json={"context": {"user": 1}, "candidates": [{"item": "i1", "tags": "a", "price": 1.0}]}
            )
            client.post("/predict", content=b"[")
            client.get("/nowhere/%1B%5B31m")
            client.get("/v2", headers={"Host": "evil.example"})
        process.send_signal(signal.SIGTERM)
        printed, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert re.search(r"making the ONNX model of .*second: once, and kept for the next start", begun[0])
    assert re.search(r"made the ONNX model of .*second: \d+\.\d MB, in \d+ s", begun[1])
    assert len(begun) == 3
    lines = [re.sub(r"[0-9.]+ ms", "MS", line) for line in printed.splitlines()]
    assert lines == [
        "POST /predict 200 MS 3 rows",
        "POST /rank 200 MS 1 rows",
        "POST /predict 400 MS - rows",
        "GET /nowhere/%1B%5B31m 404 MS - rows",
        "GET /v2 421 MS - rows",
    ]
    assert re.search(r"stopped: 5 requests in \d+ s$", rest.strip())


def test_without_the_option_nothing_is_printed_but_start_and_end(shelf, free_port):
    port = free_port()
    arguments = ["serve", f"feed={shelf.folder / 'first'}", "--port", str(port)]
    process = commands.start(*arguments, env=shelf.environment())
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            ready(client, process)
            client.get("/v2")
        process.send_signal(signal.SIGINT)
        printed, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert printed == ""
    assert re.fullmatch(r"(.* )?stopped: 1 request in \d+ s", rest.strip().splitlines()[0])
