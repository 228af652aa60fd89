"""What a job is called, and when two jobs are the same."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from duograd.models.errata.table import EXACT
from duograd.runner.config import RunConfig, dump
from duograd.runner.redaction import redact
from duograd.runner.store.moving import relative_config
from duograd.runner.store.overrides import key_of, short_names

HASH_LENGTH = 16  # hex digits
LONGEST = 120  # bytes of a folder's name; file systems take 255
# What does not change a result: a job is the same with or without it.
BESIDE_THE_RESULT = ("tracking", "checkpoint", "check_gradient")
FOLDS = ("fold", "folds")  # where none were asked for, a job is what it was before there were any
BESIDE_INSIDE = {
    "task": ("figures", "frames"),
    "backend": ("threads",),
    **dict.fromkeys(("data", "model", "loss", "optimizer"), ("file",)),  # its hash counts, wherever it lies
}


def config_hash(config: RunConfig, project: Path) -> str:
    """Tells jobs apart: equal for configurations that train to the same end, wherever their project is moved."""
    tree = relative_config(dump(config), project, project)
    content = json.dumps(what_counts(tree), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:HASH_LENGTH]


def what_counts(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration that its result depends on."""
    content = {key: value for key, value in tree.items() if key not in BESIDE_THE_RESULT}
    if content.get("gradient") == EXACT:  # likewise
        del content["gradient"]
    content["data"] = {key: value for key, value in content["data"].items() if value is not None or key not in FOLDS}
    for key, inside in BESIDE_INSIDE.items():
        content[key] = {name: value for name, value in content[key].items() if name not in inside}
    return content


def differing(jobs: Sequence[Sequence[str]]) -> list[str]:
    """The keys whose overrides are not the same in all jobs, in the order in which they were typed."""
    columns = [{key_of(override): override for override in job} for job in jobs]
    keys = dict.fromkeys(key for column in columns for key in column)
    return [key for key in keys if len({column.get(key) for column in columns}) > 1]


def names(swept: Sequence[Mapping[str, str]]) -> list[str]:
    """`hidden_size=50,lambda=1e-05` of each job's swept values; its number where nothing is swept."""
    short = short_names(list(dict.fromkeys(key for job in swept for key in job)))
    joined = [",".join(f"{short[key]}={redact(value)}" for key, value in job.items()) for job in swept]
    return [name or str(number) for number, name in enumerate(joined)]


def folder_name(name: str, digest: str, taken: Iterable[str]) -> str:
    """A job's name as a folder's: with the start of its hash where it is too long or means another job already."""
    safe = re.sub(r"[^\w.,+=\-\[\]]", "_", name).lstrip(".") or "_"
    if len(safe.encode()) <= LONGEST and safe not in taken:
        return safe
    return f"{safe.encode()[:LONGEST].decode(errors='ignore')}-{digest[:8]}"


def run_name(name: str) -> str:
    """The same for MLflow: `hidden_size=50 lambda=1e-05`."""
    return re.sub(r",(?=[\w.]+=)", " ", name)
