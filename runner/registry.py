"""What can be chosen by name, and where it is declared.

A group is a package each of whose modules declares one thing, called as the module is:
`duograd/data/sources/shapes.py` has a SOURCE, and `data=shapes` chooses it. So a new thing is a new module, and nothing
else has to know of it. An installed package adds its own by an entry point, `name = "package.module:DECLARATION"`.
Names are listed without an import; a module is imported when its name is asked for.
"""

import math
import pkgutil
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from duograd.data.source import Source
from duograd.models.family import Family
from duograd.models.loss import Loss
from duograd.models.optimizer import Optimizer
from duograd.runner.errors import UserError, suggestion

T = TypeVar("T")


@dataclass(frozen=True)
class Group(Generic[T]):
    """Choices of one kind.

    part: of a run, whose configuration the choice checks; "" where it is none. key: where the name stands in it, such
    as `data.name`. package: whose modules declare, each, one `declaration` of type `kind`. plugins: the group of entry
    points that installed packages use; None takes none.
    """

    part: str
    key: str
    package: str
    declaration: str
    kind: type[T]
    plugins: str | None = None

    def names(self) -> list[str]:
        """All that can be chosen, sorted. Raises UserError where two are called alike."""
        return sorted(references(self))

    def find(self, name: str) -> T:
        """What the name declares. Raises UserError where nothing is called so, or it cannot be imported."""
        known = references(self)
        if name not in known:
            raise UserError(f"unknown {self.key} '{name}'{suggestion(str(name), known)}")
        try:
            declaration = resolve(known[name])
        except (ImportError, AttributeError) as error:
            raise UserError(f"{self.key}={name} cannot be imported from {known[name]}: {error}") from error
        if not isinstance(declaration, self.kind) and self.part and callable(declaration):
            declaration = self._made_of(name, declaration)
        if not isinstance(declaration, self.kind):
            raise UserError(f"{self.key}={name}: {known[name]} is no {self.kind.__name__}")
        return declaration

    def _made_of(self, name: str, thing: Any) -> Any:
        """The declaration of a function or class that an installed package brings, as a user's file has one."""
        from duograd.runner.own.option import of_thing

        return of_thing(self.part, name, thing)

    def of(self, config: Any) -> T:
        """What declares a part of a run: by its name, or by the file of the user's own. Raises UserError."""
        file: str | None = getattr(config, "file", None)
        name: str = getattr(config, self.key.rpartition(".")[2])
        return self.find(name) if file is None else self.in_file(file, config.hash)

    def in_file(self, file: str, digest: Any) -> T:
        """What a file of the user's declares, which was imported before. Raises UserError."""
        from duograd.runner.own.option import declared

        declaration = declared(self.part, file, str(digest))
        assert isinstance(declaration, self.kind)
        return declaration

    def where(self, fits: Callable[[T], bool]) -> list[str]:
        """The names of all that fit, sorted. Raises UserError, as `find` does."""
        return [name for name in self.names() if fits(self.find(name))]


@cache
def references(group: Group[Any]) -> dict[str, str]:
    """Where each name of a group is declared, as `module:attribute`. Raises UserError where two are called alike."""
    own = [(name, f"{group.package}.{name}:{group.declaration}") for name in modules(group.package)]
    installed = [(point.name, point.value) for point in entry_points(group=group.plugins)] if group.plugins else []
    return _unique(group, [*own, *installed])


def _unique(group: Group[Any], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, reference in pairs:
        if known.setdefault(name, reference) != reference:
            raise UserError(f"two {group.key} are called '{name}': {known[name]} and {reference}; uninstall one")
    return known


@cache
def modules(package: str) -> tuple[str, ...]:
    """The names of a package's modules, sorted, none of which is imported."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__)))


def resolve(reference: Any) -> Any:
    """The object that `module:attribute` names; what is no name is the object itself."""
    if not isinstance(reference, str):
        return reference
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


SOURCES = Group("data", "data.name", "duograd.data.sources", "SOURCE", Source, "duograd.sources")
FAMILIES = Group("model", "model.family", "duograd.models.families", "FAMILY", Family, "duograd.families")
LOSSES = Group("loss", "loss.name", "duograd.models.losses", "LOSS", Loss, "duograd.losses")
OPTIMIZERS = Group(
    "optimizer", "optimizer.rule", "duograd.models.optimizers", "OPTIMIZER", Optimizer, "duograd.optimizers"
)
# The parts of a run whose configuration is checked by the class that their name finds.
GROUPS: dict[str, Group[Any]] = {group.part: group for group in (SOURCES, FAMILIES, LOSSES, OPTIMIZERS)}


def declared_metrics() -> set[str]:
    """The metrics that are known: `loss`, and those that losses declare."""
    return {"loss", *(metric.name for name in LOSSES.names() for metric in LOSSES.find(name).metrics)}


def rising_metrics(loss: Loss | None = None) -> list[str]:
    """The metrics of which more is better, such as accuracy and r2: those that a loss declares, or any of ours."""
    losses = map(LOSSES.find, LOSSES.names()) if loss is None else [loss]
    return sorted({metric.name for each in losses for metric in each.metrics if metric.higher_is_better})


def higher_is_better(metric: str, loss: Loss | None = None) -> bool:
    """Whether a metric such as val/accuracy is to rise; what no loss declares so, such as val/loss, is to fall."""
    return term_of(metric) in rising_metrics(loss)


def term_of(metric: str) -> str:
    """`accuracy` of val/accuracy, and of what MLflow has of a run's end: final_test_accuracy, best_val_accuracy."""
    return re.sub("(best|final)_(train|val|test)_", "", metric.rpartition("/")[2])


def bounds(metric: str) -> tuple[float, float]:
    """From where to where a metric such as val/accuracy can go; of one that no loss declares, 0 to infinity."""
    name = term_of(metric)
    every = (each for loss in LOSSES.names() for each in LOSSES.find(loss).metrics)
    return next(((each.least, each.most) for each in every if each.name == name), (0.0, math.inf))
