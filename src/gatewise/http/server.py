"""The process: listens, serves, and stops when it is asked to."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from gatewise.http.limits import Limits


def serve(app: FastAPI, host: str, port: int, limits: Limits) -> bool:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first.

    Returns:
        Whether it could start.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(limits.shutdown_seconds),
        # a client that keeps its connection need not make another one
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    server.run()
    return server.started
