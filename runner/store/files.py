"""Whole files: written as a whole or not at all, and read with a fault of one line where they are damaged."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError, mask
from duograd.runner.redaction import redact

TEMPORARY = f".{'[0-9a-f]' * 32}.tmp"  # of files on their way
LONGEST_YAML = 1_000_000  # characters


class DamagedError(UserError):
    """A file that is not what duograd wrote: one line that names it and what is wrong."""


def write_bytes(path: Path, content: bytes, before: Path | None = None) -> None:
    """Replaces path by content; a killed process or a full disk leaves the old file as it was.

    before: where to keep the old file. Raises OSError, which names the path.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")  # as in TEMPORARY
    with naming(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if before is not None and path.exists():
                path.replace(before)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """The same for text, with the passwords of addresses masked."""
    write_bytes(path, mask(text).encode(errors="replace"))


def write_json(path: Path, value: Any, exact: bool = False) -> None:
    """The same for JSON, indented for people, with the passwords of addresses masked, and the user's home as ~.

    exact: paths stay as they are, because something goes on from them. Raises ValueError for NaN and infinity, which
    JSON has no word for.
    """
    text = json.dumps(value, indent=2, allow_nan=False)
    write_bytes(path, ((mask(text) if exact else redact(text)) + "\n").encode())


def write_yaml(path: Path, tree: Mapping[str, Any]) -> None:
    """The same for a configuration."""
    from omegaconf import OmegaConf

    write_bytes(path, mask(OmegaConf.to_yaml(OmegaConf.create(dict(tree)))).encode())


def read_json(path: Path) -> dict[str, Any]:
    """The file's object, {} where there is no such file. Raises DamagedError."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged ({error})") from None
    if not isinstance(content, dict):
        raise DamagedError(f"{path} is damaged (it holds no object)")
    return content


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys of a configuration, interpolations as they stand. Raises DamagedError."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import AliasEvent, YAMLError, parse

    try:
        text = path.read_text()
        if len(text) > LONGEST_YAML or any(isinstance(event, AliasEvent) for event in parse(text)):
            raise ValueError("no configuration that a run wrote")  # aliases can multiply without end
        content = OmegaConf.to_container(OmegaConf.create(text))
    except (OSError, ValueError, AttributeError, YAMLError, OmegaConfBaseException, RecursionError) as error:
        raise DamagedError(f"{path} is damaged ({(str(error).splitlines() or ['nothing in it'])[0]})") from None
    if not isinstance(content, dict):
        raise DamagedError(f"{path} is damaged (it holds no keys)")
    return {str(key): value for key, value in content.items()}


def sync(path: Path) -> None:
    """Brings what was appended to a file, where there is one, to the disk."""
    if path.exists():
        with naming(path), path.open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What the operating system refuses in the block names the path, not a descriptor or a temporary name."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
