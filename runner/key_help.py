"""The keys of a configuration with their values, each with what the YAML that sets it says of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from duograd.runner.groups import CONF

LINE = re.compile(r"(?P<indent> *)(?P<key>\w+):(?P<value>.*?)(?: # ?(?P<comment>.*))?")
STARTS = re.compile(r"^defaults: \[(\w+)\]", re.MULTILINE)
COLUMN = 30  # where comments begin


def explained(yaml: str, tree: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a configuration, with comments. yaml: how it is written; tree: what it says."""
    comments = {key: comment for key, _, comment in _keys((CONF / "config.yaml").read_text())}
    for group, part in tree.items():
        if isinstance(part, Mapping):
            comments |= {f"{group}.{key}": comment for key, comment in _comments(group, part.get("name")).items()}
    for key, line, _ in _keys(yaml):
        yield f"{line:{COLUMN}}  # {comment}" if (comment := comments.get(key)) else line


def _comments(group: str, option: Any) -> dict[str, str]:
    """By key what the file of an option says, after the file that it starts from."""
    path = CONF / group / f"{option}.yaml"
    if not path.is_file():
        return {}
    text = path.read_text()
    parent = STARTS.search(text)
    own = {key: comment for key, _, comment in _keys(text) if comment}
    return (_comments(group, parent[1]) if parent else {}) | own


def _keys(yaml: str) -> Iterator[tuple[str, str, str | None]]:
    """Each line with its dotted key ("" where it has none) and its comment."""
    above: list[tuple[int, str]] = []
    for line in yaml.splitlines():
        if not (found := LINE.fullmatch(line)):
            yield "", line, None
            continue
        depth = len(found["indent"])
        above = [*((d, key) for d, key in above if d < depth), (depth, found["key"])]
        yield ".".join(key for _, key in above), line, found["comment"]
