"""Which tasks an option of a group is for, by what is declared of it.

A task learns from samples of one kind, those of its default source: task=activity from sequences with classes. A source
of that kind, a family that takes it and a loss of its targets are for the task. What is for no task that is known here,
such as a network of a user's own for a kind of its own, goes with any.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from typing import Any, NamedTuple

from duograd.runner.errors import UserError
from duograd.runner.registry import GROUPS

TASK = "task"
DECLARED = ("data", "model", "loss")  # groups of which each option is declared in code
EITHER = {"either": ("classes", "values")}  # of a source whose data says which


class Kind(NamedTuple):
    """Samples: what their inputs and their targets may be; None is any."""

    inputs: frozenset[str] | None
    targets: frozenset[str]

    def meets(self, other: "Kind") -> bool:
        """Whether some samples are of both kinds."""
        inputs = self.inputs is None or other.inputs is None or self.inputs & other.inputs
        return bool(inputs and self.targets & other.targets)


def kind(group: str, part: Mapping[str, Any]) -> Kind | None:
    """The samples that a source gives, a family takes, or a loss compares with outputs, by the name or file in a part.

    None where nothing is called so, and of a file whose source says by its data alone what it gives.
    """
    name, file = part.get(GROUPS[group].key.rpartition(".")[2]), part.get("file")
    try:
        declared = GROUPS[group].in_file(file, part.get("hash")) if file else GROUPS[group].find(str(name))
    except UserError:  # said when the run is checked
        return None
    inputs = getattr(declared, "inputs", None)
    known = inputs is not None or group != "data" or not file
    return Kind(inputs and _names(inputs), _names(declared.targets)) if known else None


def _names(names: str | Sequence[str]) -> frozenset[str]:
    return frozenset(EITHER.get(names, (names,)) if isinstance(names, str) else names)


class Options:
    """The options of all groups that a repository of Hydra's holds, a user's own among them."""

    def __init__(self, open_repository: Callable[[], Any], config_name: str) -> None:
        """open_repository: called once, for what is asked first; config_name: of the root."""
        self._open, self._root = open_repository, config_name
        self._learned: dict[str, Kind | None] = {}

    @cached_property
    def _repository(self) -> Any:
        return self._open()

    def names(self, group: str) -> list[str]:
        """The options of a group, sorted."""
        return list(self._repository.get_group_options(group))

    def tasks(self, group: str, option: str) -> frozenset[str]:
        """The tasks that an option is for; none where nothing says so."""
        if group == TASK:
            return frozenset([option])
        if group in DECLARED:
            return self.tasks_of(self._kind(group, option))
        return common(filter(None, (self.tasks(*choice) for choice in self._choices(f"{group}/{option}").items())))

    def knows(self, task: str) -> bool:
        """Whether its default source says what a task learns from."""
        self.tasks_of(None)
        return self._learned.get(task) is not None

    def tasks_of(self, samples: Kind | None) -> frozenset[str]:
        """The tasks that learn from samples of a kind."""
        if not self._learned:
            sources = {task: self._choices(f"{TASK}/{task}").get("data") for task in self.names(TASK)}
            self._learned = {task: self._kind("data", source) if source else None for task, source in sources.items()}
        return frozenset(task for task, own in self._learned.items() if own and samples and own.meets(samples))

    def default_task(self) -> str | None:
        """The task of a run that names none."""
        return self._choices(self._root).get(TASK)

    def _kind(self, group: str, option: str) -> Kind | None:
        """By the option's YAML, and the one that it starts from."""
        part: dict[Any, Any] = {}
        for found in self._chain(f"{group}/{option}"):
            part |= found.config or {}
        return kind(group, part)

    def _choices(self, path: str) -> dict[str, str]:
        """What a configuration chooses of each group, or the one that it starts from."""
        defaults = [default for found in self._chain(path) for default in found.defaults_list or ()]
        chosen = [(getattr(default, "group", None), getattr(default, "value", None)) for default in defaults]
        return {g.removeprefix("/"): o for g, o in chosen if g and isinstance(o, str) and "$" not in o}

    def _chain(self, path: str) -> Iterator[Any]:
        """A configuration, after those that it starts from."""
        if found := self._repository.load_config(path):
            starts = [getattr(default, "path", None) for default in found.defaults_list or ()]
            for start in starts:
                if start and start != "_self_":
                    yield from self._chain(start[1:] if start[0] == "/" else f"{path.rpartition('/')[0]}/{start}")
            yield found


def common(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    """The intersection; of no sets, the empty one."""
    given = list(sets)
    return reduce(frozenset.__and__, given) if given else frozenset()
