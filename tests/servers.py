"""Servers that really run: a bucket and a PostgreSQL, each started once; an application on a port of its own."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "only-in-the-environment"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def in_thread(app: Any) -> Iterator[str]:
    """Serve an application over HTTP by a thread of this process; give its host and port."""
    uvicorn = pytest.importorskip("uvicorn", reason="pip install 'gatewise[serve]'")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield "{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            thread.join()


class PostgreSQL:
    """A server of its own, in a folder of its own, on a free port of this machine."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.port = free_port()
        # a server refuses to run as root
        self.as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self.as_user:
            shutil.chown(folder, "postgres", "postgres")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"postgresql://gatewise@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["-U", "gatewise", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync", "-E", "UTF8"]
        done = [str(self.programs / "initdb"), "-D", str(self.folder / "data"), *options]
        subprocess.run(done, check=True, capture_output=True, cwd="/", **self.as_user)

    def start(self) -> None:
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder), "-F"]
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, cwd="/", **quiet, **self.as_user)
        until = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > until or self.process.poll() is not None:
                self.stop()
                raise RuntimeError("PostgreSQL does not start")
            time.sleep(0.05)

    def _answers(self) -> bool:
        dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="pip install adbc-driver-postgresql")
        try:
            dbapi.connect(self.uri.replace("@", f":{PASSWORD}@")).close()
        except dbapi.Error:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


def programs_of_postgresql() -> Path | None:
    """Return the folder with the server's programs, which Debian keeps out of the path."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True) + ([Path(found).parent] if found else [])
    return next((place for place in places if (place / "postgres").exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    programs = programs_of_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="gatewise-postgresql-", ignore_cleanup_errors=True) as folder:
        server = PostgreSQL(programs, Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a server that speaks S3, with a bucket ``logs``."""
    moto = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch):
    """A file system of the server; its address and credentials are in the environment, as users have them."""
    from pyarrow import fs

    for name, value in {
        "AWS_ACCESS_KEY_ID": "gatewise",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-bucket",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    system = fs.S3FileSystem(endpoint_override=s3_endpoint, allow_bucket_creation=True, allow_bucket_deletion=True)
    system.create_dir("logs")
    yield system
    system.delete_dir_contents("logs")
