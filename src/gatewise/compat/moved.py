"""What all models of other libraries are here: a ranker that is made when it is trained."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from typing_extensions import override

from gatewise import declare
from gatewise.compat.fields import Field, make_features
from gatewise.errors import GatewiseError
from gatewise.ranker import Ranker

HOME = "gatewise.compat."


class NoCounterpartError(GatewiseError, AttributeError):
    """A script asks for something that Gatewise has in another form, or does not have."""

    def __init__(self, what: str, library: str) -> None:
        page = f"docs/moving/{library}.md"
        super().__init__(f"{what} has no counterpart in gatewise.compat: {page} says what to do instead")


class MovedModel:
    """A model of another library: its options now, a ranker once it is trained.

    Attributes:
        library: name of the library, as in the name of its page.
        tasks: the tasks, in the order of the labels' columns.
        columns: the columns of predictions, in the order of the library's outputs.
    """

    library: ClassVar[str]
    tasks: list[declare.Task]
    columns: list[str]
    _ranker: Ranker | None = None

    @override
    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse classes of one's own, whose code would not run.

        Raises:
            NoCounterpartError: the class is not one of this package.
        """
        super().__init_subclass__(**options)
        if not cls.__module__.startswith(HOME):
            raise NoCounterpartError(f"{cls.__name__}, a subclass with code of its own,", cls.library)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NoCounterpartError(f"{type(self).__name__}.{name}", self.library)

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse a forward pass, which a ranker has for tables only."""
        raise NoCounterpartError(f"{type(self).__name__}(x), a forward pass", self.library)

    @property
    def ranker(self) -> Ranker:
        """The trained ranker.

        Raises:
            GatewiseError: the model is not trained yet.
        """
        if self._ranker is None:
            raise GatewiseError(f"{type(self).__name__} is not trained yet: fit it first")
        return self._ranker

    def fields(self) -> list[Field]:
        """Return the model's features."""
        raise NotImplementedError

    def architecture(self) -> declare.AnyArchitecture:
        """Return the model's architecture."""
        raise NotImplementedError

    def schema(self) -> declare.Schema:
        """Return features and tasks of the model."""
        return declare.Schema(features=make_features(self.fields()), tasks=self.tasks)

    def to(self, *_: Any) -> MovedModel:
        """Return the model itself: the device is chosen when it is trained."""
        return self

    def train(self, mode: bool = True) -> MovedModel:  # noqa: ARG002
        """Return the model itself: training and predicting choose the mode."""
        return self

    def eval(self) -> MovedModel:
        """Return the model itself, as :meth:`train` does."""
        return self


def binary_funnel(before: str, after: str) -> list[declare.Task]:
    """Return the two steps of ESMM."""
    return [declare.Binary(before), declare.Binary(after, after=before)]


def tower_options(dims: list[Any], names: list[str]) -> Any:
    """Return the widths of towers: one shape for all, or by task."""
    shapes = [tuple(own) for own in dims]
    return shapes[0] if len(set(shapes)) == 1 else dict(zip(names, shapes, strict=True))
