"""The service: addresses and their handlers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gatewise.errors import ArtefactError
from gatewise.http import inference
from gatewise.http.about import about
from gatewise.http.access import Access
from gatewise.http.access_log import AccessLog
from gatewise.http.describe import DESCRIPTIONS, Address, described
from gatewise.http.door import Door
from gatewise.http.errors import RequestError
from gatewise.http.guard import Guard, Handler, problem
from gatewise.http.items import ItemFile
from gatewise.http.limits import Limits
from gatewise.http.loading import Loader
from gatewise.http.metrics import Metrics
from gatewise.http.models import Loaded, Models
from gatewise.http.page import page
from gatewise.http.prediction import predict
from gatewise.http.ranking import rank
from gatewise.http.requests import PredictRequest, RankRequest, checked, parsed
from gatewise.http.sources import Sources
from gatewise.http.watching import watching
from gatewise.version import __version__

JSON = "application/json"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page runs its own script and sends requests to this service only; other pages may not embed the page."""
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
Tell = Callable[[str], None]


class Service:
    """Handlers of all addresses; each takes a request and returns a response, or raises an error.

    Args:
        models: the served models.
        guard: reads the bodies of requests.
    """

    def __init__(self, models: Models, guard: Guard) -> None:
        self.models, self.guard = models, guard
        self.limits, self.metrics = guard.limits, guard.metrics

    async def rank(self, request: Request) -> Response:
        """``POST /rank``."""
        body = await self.guard.body(request)
        laps = self.metrics.laps()
        asked = checked(RankRequest, parsed(body))
        request.state.rows = len(asked.candidates)
        laps.end("parse")
        model = self.models.get(asked.model, asked.version)
        response = _json(await rank(model, asked, self.limits, laps))
        self.metrics.scored(model.name, model.version)
        laps.end("write")
        return response

    async def predict(self, request: Request) -> Response:
        """``POST /predict``."""
        body = await self.guard.body(request)
        laps = self.metrics.laps()
        asked = checked(PredictRequest, parsed(body))
        request.state.rows = len(asked.rows)
        laps.end("parse")
        model = self.models.get(asked.model, asked.version)
        response = _json(await predict(model, asked, self.limits, laps))
        self.metrics.scored(model.name, model.version)
        laps.end("write")
        return response

    async def infer(self, request: Request) -> Response:
        """``POST /v2/models/NAME[/versions/VERSION]/infer``."""
        body = await self.guard.body(request)
        laps = self.metrics.laps()
        model = self._asked(request)
        asked = inference.parse_request(model, body, request.headers.get(inference.HEADER), self.limits)
        request.state.rows = asked.rows
        laps.end("parse")
        inputs = model.inputs(asked.columns, asked.rows, "inputs")
        laps.end("encode")
        outputs = await model.batcher.run(inputs.arrays, asked.rows)
        laps.end("infer")
        self.metrics.scored(model.name, model.version)
        found = inference.answer(model, asked, {**outputs, **model.score(outputs, model.fusion, inputs.known)})
        laps.end("write")
        if found.json_bytes is None:
            return Response(found.body, media_type=JSON)
        headers = {inference.HEADER: str(found.json_bytes)}
        return Response(found.body, headers=headers, media_type="application/octet-stream")

    def _asked(self, request: Request) -> Any:
        return self.models.get(request.path_params["name"], request.path_params.get("version"))

    async def server(self, _: Request) -> Response:
        """``GET /v2``."""
        return _json(inference.server_metadata())

    async def live(self, _: Request) -> Response:
        """``GET /v2/health/live``."""
        return _json({"live": True})

    async def ready(self, _: Request) -> Response:
        """``GET /v2/health/ready``."""
        if not self.models.all():
            raise RequestError("no model is served", 503)
        return _json({"ready": True})

    async def model(self, request: Request) -> Response:
        """``GET /v2/models/NAME[/versions/VERSION]``."""
        found = self._asked(request)
        return _json(inference.metadata(found, self.models.versions(found.name)))

    async def model_ready(self, request: Request) -> Response:
        """``GET /v2/models/NAME[/versions/VERSION]/ready``."""
        found = self._asked(request)
        return _json({"name": found.name, "ready": True})

    async def index(self, _: Request) -> Response:
        """``POST /v2/repository/index``."""
        return _json(self.models.index())

    async def load(self, request: Request) -> Response:
        """``POST /v2/repository/models/NAME/load``."""
        results = await self.models.load(request.path_params["name"])
        failed = [one for one in results if one.problem is not None]
        if failed:
            raise RequestError("; ".join(str(one.problem) for one in failed) + "; what was served is served on", 409)
        return _json({"loaded": [{"name": one.source.name, "version": one.source.version} for one in results]})

    async def unload(self, request: Request) -> Response:
        """``POST /v2/repository/models/NAME/unload``."""
        await self.models.unload(request.path_params["name"])
        return _json({"unloaded": request.path_params["name"]})

    async def about(self, _: Request) -> Response:
        """``GET /models``."""
        return _json([about(model) for model in self.models.all()])

    async def figures(self, _: Request) -> Response:
        """``GET /metrics``."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def page(self, _: Request) -> Response:
        """``GET /``."""
        return Response(page(), media_type="text/html", headers=PAGE_HEADERS)


def make_app(
    sources: Sources,
    limits: Limits | None = None,
    items: ItemFile | None = None,
    tell: Tell = lambda _: None,
    access: Access | None = None,
    rows: Path | None = None,
    log: Tell | None = None,
) -> FastAPI:
    """Return the service as an ASGI application.

    Its models are loaded when the service starts, and again on SIGHUP; watched ones whenever another is promoted.

    Args:
        sources: where models come from.
        limits: of requests.
        items: the file of the item table.
        tell: receives lines of a log.
        access: the access rules; by default this machine alone may ask.
        rows: a file of real rows to try the models with on the page.
        log: receives one line per request; None: no such lines.

    Raises:
        ArtefactError: a model cannot be loaded when the service starts.
    """
    limits, metrics = limits or Limits(), Metrics()
    computing = ThreadPoolExecutor(thread_name_prefix="model")
    # loading takes seconds, so it has a thread of its own
    loading = ThreadPoolExecutor(1, thread_name_prefix="load")
    models = Models(sources, Loader(limits, computing, metrics, items, rows, tell), loading, metrics)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        for one in await models.load():
            if one.problem is not None:
                raise ArtefactError(f"model {one.source.name!r}: {one.problem}")
        with _reloading(models, tell):
            async with watching(models, tell):
                yield
        computing.shutdown()
        loading.shutdown()

    guard = Guard(limits, metrics)
    app = FastAPI(title="gatewise", version=__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.add_middleware(Door, access=access or Access(), limits=limits, metrics=metrics)
    if log is not None:
        # outermost, so that refused requests are seen, too
        app.add_middleware(AccessLog, tell=log)
    _route(app, Service(models, guard), guard)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        answer = problem(f"{request.method} {request.url.path:.200}: {str(error.detail).lower()}", error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    return app


def _route(app: FastAPI, service: Service, guard: Guard) -> None:
    for one in DESCRIPTIONS:
        answer = _guarded(guard, getattr(service, one.handler), one)
        if one.method == "GET":
            # load balancers send HEAD; the server leaves the body out
            app.add_api_route(one.path, answer, methods=["HEAD"], include_in_schema=False, response_model=None)
        app.add_api_route(
            one.path,
            answer,
            methods=[one.method],
            name=one.handler,
            summary=one.summary,
            include_in_schema=one.shown,
            response_model=None,
            responses={},
            openapi_extra=described(one),
        )


def _guarded(guard: Guard, handler: Handler, address: Address) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await guard.answer(request, handler, address.path, timed=address.timed)

    return answer


def _json(values: Any) -> Response:
    return Response(orjson.dumps(values), media_type=JSON)


@contextlib.contextmanager
def _reloading(models: Models, tell: Tell) -> Iterator[None]:
    """Load all models again on SIGHUP, where the system has this signal and this is the main thread."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        for line in map(_line, await models.load()):
            tell(line)

    def on_signal() -> None:
        task = loop.create_task(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    try:
        loop.add_signal_handler(signal.SIGHUP, on_signal)
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _line(one: Loaded) -> str:
    what = f"{one.source.name} version {one.source.version}"
    return f"{what}: loaded" if one.problem is None else f"{what}: {one.problem}; what was served is served on"
