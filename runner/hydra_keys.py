"""Keys of Hydra's own, such as hydra.launcher.stack: those that are not there, and values that do not fit them."""

import re
from collections.abc import Iterable

from duograd.runner.errors import suggestion

PREFIX = "hydra."
HIDDEN = "_target_"  # a key that nobody types
MISFITS = {  # what omegaconf says of a value that is not of its key's type -> what it is to be
    r"Value '(.*)' of type '\w+' could not be converted to Integer": "a whole number",
    r"Value '(.*)' of type '\w+' could not be converted to Float": "a number",
    r"Value '(.*)' is not a valid bool": "true or false",
    r"Cannot convert '\w+' to string: '(.*)'": "a string",
    r"Invalid value assigned: \w+ is not a ListConfig()": "a list",
    r"Cannot merge DictConfig with ListConfig()": "no list, but its keys",
}


def unknown_key(key: str, known: Iterable[str]) -> str:
    """With the option of its group that has the key, else with the key of the chosen option that was meant."""
    parent, _, word = key.rpartition(".")
    group, names = parent.replace(".", "/"), [name for name in known if name != HIDDEN]
    if others := _options_with(group, word):
        return f"unknown key '{key}': it is of {group}={' or '.join(others)}"
    return f"unknown key '{key}'{suggestion(word, names, f'{parent}.') if names else f': what {group} is has no keys'}"


def _options_with(group: str, key: str) -> list[str]:
    """The options of a group that have a key, among those that are declared in Python."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.object_type import ObjectType

    store = ConfigStore.instance()
    names = store.list(group) if store.get_type(group) is ObjectType.GROUP else []
    options = [name.removesuffix(".yaml") for name in names if name.endswith(".yaml")]
    return [option for option in options if key in store.load(f"{group}/{option}.yaml").node]


def misfit(key: str, message: str) -> str | None:
    """A value that is not of its key's type, by what omegaconf says of it; None where it says something else."""
    for said, expected in MISFITS.items():
        if found := re.match(said, message):
            return f"{key}{f'={found[1]}' if found[1] else ''}: expected {expected}"
    return None
