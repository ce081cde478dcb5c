"""The models of a service: loaded, looked up by name and version, and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import NamedTuple

from gatewise.errors import GatewiseError, did_you_mean, shown
from gatewise.http.errors import RequestError
from gatewise.http.metrics import Metrics
from gatewise.http.model import ServedModel
from gatewise.http.sources import Source, Sources

Load = Callable[[Source], ServedModel]


class Loaded(NamedTuple):
    """The result of loading one version.

    Attributes:
        source: the artefact that was loaded.
        problem: why loading failed, in one line; a model loaded earlier is served on.
    """

    source: Source
    problem: str | None = None


class Models:
    """The served models.

    A request takes a model once and keeps this model to its end. Loading makes a new model beside the old one, and
    replaces the old one when the new one is complete: no request sees half a model, and no request is lost.

    Args:
        sources: where models come from.
        load: loads a model, in a thread of the pool.
        pool: of threads.
        metrics: count loadings.
    """

    def __init__(self, sources: Sources, load: Load, pool: Executor, metrics: Metrics) -> None:
        self.sources = sources
        self._load, self._pool, self._metrics = load, pool, metrics
        self._served: dict[str, dict[str, ServedModel]] = {}
        self._unloaded: set[str] = set()
        self._problems: dict[tuple[str, str], str] = {}
        self._loading = asyncio.Lock()

    def get(self, name: str | None = None, version: str | None = None) -> ServedModel:
        """Return a model; the only one where no name is given, the highest version where no version is given.

        Raises:
            RequestError: no model has this name or version, or a name is needed; lists the models.
        """
        if name is None:
            if len(self._served) != 1:
                raise RequestError(f"model: is required, one of {shown(self._served)}")
            name = next(iter(self._served))
        versions = self._served.get(name)
        if versions is None:
            raise RequestError(f"model {name!r:.80}: is not served{_hint(name, self._served, 'models')}", 404)
        if version is None:
            return versions[max(versions, key=_rank)]
        if version not in versions:
            raise RequestError(f"model {name!r}: no version {version!r:.80}{_hint(version, versions, 'versions')}", 404)
        return versions[version]

    def all(self) -> list[ServedModel]:
        """Return all versions of all models, versions of one model in rising order."""
        return [self._served[name][key] for name in self._served for key in sorted(self._served[name], key=_rank)]

    def versions(self, name: str) -> list[str]:
        """Return the versions of a model that are served.

        Raises:
            RequestError: there is no such model.
        """
        return [model.version for model in self.all() if model.name == self.get(name).name]

    def index(self) -> list[dict[str, str]]:
        """Return all known versions, each with its state and, where it is not served, the reason."""
        served = {(model.name, model.version): "READY" for model in self.all()}
        known = {(source.name, source.version): "UNAVAILABLE" for source in self._found()}
        return [
            {"name": name, "version": version, "state": state, "reason": self._problems.get((name, version), "")}
            for (name, version), state in (known | served).items()
        ]

    def _found(self) -> list[Source]:
        try:
            return self.sources.find()
        except GatewiseError:
            return []

    async def newly_promoted(self, name: str) -> Source | None:
        """Return what is in place of a watched model where it is not served; None: it is, or was unloaded by request.

        Raises:
            ArtefactError: nothing is in place any more, or the pointer is damaged.
        """
        watched = next(each for each in self.sources.watched if each.name == name)
        source = await asyncio.get_running_loop().run_in_executor(self._pool, watched.source)
        known = name in self._unloaded or source.version in self._served.get(name, {})
        return None if known else source

    async def load(self, name: str | None = None) -> list[Loaded]:
        """Load all versions of a model, or of all models, again; versions whose artefact is gone are served no longer.

        Raises:
            RequestError: there is no model of this name.
        """
        async with self._loading:
            found = self.sources.find()
            wanted = [source for source in found if name in (None, source.name)]
            if not wanted:
                names = list(dict.fromkeys(source.name for source in found))
                raise RequestError(f"model {name!r:.80}: there is none{_hint(name or '', names, 'models')}", 404)
            results = [await self._load_one(source) for source in wanted if self._is_wanted(source, name)]
            self._drop_all_but({(source.name, source.version) for source in found}, name)
            return results

    def _is_wanted(self, source: Source, name: str | None) -> bool:
        """Whether to load an artefact: an unloaded model comes back only where its name is asked for."""
        return name is not None or source.name not in self._unloaded

    async def _load_one(self, source: Source) -> Loaded:
        problem = None
        try:
            model = await asyncio.get_running_loop().run_in_executor(self._pool, self._load, source)
        except GatewiseError as error:
            problem = str(error)
        except Exception as error:
            # a service goes on with its models, whatever is wrong with a file
            problem = f"internal: {type(error).__name__}: {error}"
        self._metrics.load(source.name, failed=problem is not None)
        if problem is not None:
            self._problems[source.name, source.version] = problem
            return Loaded(source, problem)
        self._problems.pop((source.name, source.version), None)
        self._unloaded.discard(source.name)
        before = self._served.get(source.name, {})
        self._metrics.serves(source.name, source.version, model.loaded)
        if source.manifest is None:
            self._served[source.name] = {**before, source.version: model}
            return Loaded(source)
        # of a watched model one version is served: what is in place
        self._served[source.name] = {source.version: model}
        for version in before.keys() - {source.version}:
            self._metrics.serves(source.name, version, None)
        return Loaded(source)

    def _drop_all_but(self, found: set[tuple[str, str]], name: str | None) -> None:
        # a watched model is served until another one has taken its place
        watched = {each.name for each in self.sources.watched}
        for model in self.all():
            if name in (None, model.name) and model.name not in watched and (model.name, model.version) not in found:
                self._drop(model)

    def _drop(self, model: ServedModel) -> None:
        left = {version: kept for version, kept in self._served[model.name].items() if version != model.version}
        if left:
            self._served[model.name] = left
        else:
            del self._served[model.name]
        self._metrics.serves(model.name, model.version, None)

    async def unload(self, name: str) -> None:
        """Stop serving a model; requests that hold the model are answered.

        Raises:
            RequestError: the model is not served.
        """
        async with self._loading:
            for version in self.versions(name):
                self._drop(self.get(name, version))
            self._unloaded.add(name)


def _rank(version: str) -> tuple[bool, int, str]:
    """Return the sort key of a version: names by letters, and after them numbers by value."""
    number = version.isdecimal()
    return number, int(version) if number else 0, version


def _hint(name: str, known: Iterable[str], what: str) -> str:
    names = [*known]
    return did_you_mean(name, names) or f" ({what}: {shown(names)})"
