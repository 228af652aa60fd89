"""The task of a run: the one that is named, or that some choice belongs to (`duograd model=gru`); never two."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from duograd.runner.errors import UserError
from duograd.runner.store.overrides import parse_all
from duograd.runner.tasks import TASK, Options, common, kind

CHOOSING = (TASK, "data", "model", "loss", "experiment", "sweep", "preset")  # groups whose options are for tasks
Tasks = Mapping[str, frozenset[str]]  # by choice, as it is typed: model=gru


class Choice(NamedTuple):
    """A task, and what chose it: activity, model=gru."""

    task: str
    by: str

    @property
    def overrides(self) -> list[str]:
        """As it would have been typed."""
        return [f"{TASK}={self.task}"]

    def __str__(self) -> str:
        return f"{TASK}={self.task}, chosen by {self.by}"


def choices(overrides: Sequence[str]) -> list[tuple[str, str]]:
    """Each group and option that is typed, all of those that a sweep names. Lives inside an initialised Hydra.

    Raises Hydra's exceptions.
    """
    parsed = parse_all([text for text in overrides if text.lstrip("+").partition("=")[0] in CHOOSING])
    return [(str(override.key_or_group), option) for override in parsed for option in _options(override)]


def _options(override: Any) -> list[str]:
    if override.is_range_sweep() or override.is_interval_sweep() or override.is_delete():
        return []
    values = override.sweep_string_iterator() if override.is_sweep_override() else [override.value()]
    return [value for value in values if isinstance(value, str)]


def chosen_task(options: Options, typed: Sequence[tuple[str, str]], default: str | None) -> Choice | None:
    """The task that typed choices (group, option) lead to; None where one is named, or the default serves.

    Raises UserError for choices that are for different tasks, or for several of which none is named.
    """
    tasks = _tasks(options, typed)
    losses = {text: own for text, own in tasks.items() if text.startswith("loss=")}  # data of one's own may ask for any
    others = {text: own for text, own in tasks.items() if text not in losses}
    named = [option for group, option in typed if group == TASK]
    for task in named:
        refuse_others(options, others, task)
    if named or not tasks:
        return None
    if default in common(tasks.values()):
        return None
    choice = _single(others) or _single(losses) or _common(tasks)
    return None if choice.task == default else choice


def _single(tasks: Tasks) -> Choice | None:
    """The task of those choices that are for one alone. Raises UserError where they are for different ones."""
    alone = {text: own for text, own in tasks.items() if len(own) == 1}
    for (text, own), (other, its) in itertools.pairwise(alone.items()):
        if own != its:
            raise UserError(f"{_belonging(text, own)} and {_belonging(other, its)}: they do not go together")
    return next((Choice(min(own), text) for text, own in alone.items()), None)


def _common(tasks: Tasks) -> Choice:
    """The task that all choices are for. Raises UserError where there are several such, or none."""
    possible = common(tasks.values())
    if len(possible) != 1:
        text, own = next(iter(tasks.items()))
        raise UserError(f"{_belonging(text, own)}: say which, such as task={min(possible or own)}")
    return Choice(min(possible), " ".join(tasks))


def fitting(
    options: Options, typed: Sequence[tuple[str, str]], known: Mapping[str, Iterable[str]]
) -> dict[str, list[str]]:
    """Of the known options of each group those that go with typed choices: all, where these say nothing."""
    named = [option for group, option in typed if group == TASK]
    tasks = frozenset(named) or common(_tasks(options, typed).values())

    def fits(group: str, option: str) -> bool:
        own = options.tasks(group, option) if tasks else frozenset()
        return not own or bool(own & tasks)

    return {group: [option for option in names if fits(group, option)] for group, names in known.items()}


def _tasks(options: Options, typed: Sequence[tuple[str, str]]) -> Tasks:
    """The tasks of each choice that is for some."""
    tasks = {choice: options.tasks(*choice) for choice in typed if choice[0] != TASK}
    return {"=".join(choice): own for choice, own in tasks.items() if own}


def refuse_others(options: Options, tasks: Tasks, task: str) -> None:
    """Raises UserError for a choice that is for another task than the one in hand: one line, with what this one has.

    A network or a loss that is for several, such as a user's own that takes any samples, is left to try.
    """
    for text, own in tasks.items():
        if task not in own and (len(own) == 1 or (text.startswith("data=") and options.knows(task))):
            group = text.partition("=")[0]
            fitting = [option for option in options.names(group) if task in options.tasks(group, option)]
            has = f"; task={task} has {group}={', '.join(fitting)}" if fitting else ""
            raise UserError(f"{_belonging(text, own)}, not for task={task}{has}")


def refuse_strangers(options: Options, tree: Mapping[str, Any]) -> None:
    """Raises UserError where the network or the data of a composed configuration are for other tasks than its own."""
    parts = {group: part for group in (TASK, "data", "model") if isinstance(part := tree.get(group), Mapping)}
    task = str(parts.pop(TASK, {}).get("name"))
    if task in options.names(TASK):
        kinds = {group: kind(group, part) for group, part in parts.items()}
        tasks = {f"{group}={parts[group].get('name')}": options.tasks_of(samples) for group, samples in kinds.items()}
        refuse_others(options, {text: own for text, own in tasks.items() if own}, task)


def _belonging(text: str, tasks: Iterable[str]) -> str:
    *others, last = sorted(tasks)
    return f"{text} is for task={', '.join(others)}{' or ' if others else ''}{last}"
