"""The text of a user's file with the neighbours that it imports, and its hash."""

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from duograd.runner.errors import UserError

HASH_LENGTH = 16  # hex digits
REFERENCE = re.compile(r"(?P<path>.+\.py)(?::(?P<name>\w+))?", re.DOTALL)


class Reference(NamedTuple):
    """`my_net.py:Net` as a user types it. name: None where the file has one thing of the kind."""

    path: Path
    name: str | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What a text refers to; None where it names no file of Python."""
        match = REFERENCE.fullmatch(text)
        return cls(Path(match["path"]).expanduser().absolute(), match["name"]) if match else None

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else str(self.path)


@dataclass(frozen=True)
class Code:
    """origin: the user's file. folder: where the files lie that are read and named in tracebacks.

    files: by their path in that folder, the user's own first, then the neighbours that it imports.
    """

    origin: Path
    folder: Path
    files: Mapping[str, bytes]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The code of a file. Raises UserError: there is none, or it is no Python."""
        folder = path.parent
        files: dict[str, bytes] = {}
        ahead = [path]
        while ahead:
            file = ahead.pop(0)
            name = file.relative_to(folder).as_posix()
            if name not in files:
                files[name] = _bytes(file)
                ahead += _neighbours(_tree(file, files[name]), file, folder)
        return cls(path, folder, files)

    @property
    def path(self) -> Path:
        """The file that is imported."""
        return self.folder / next(iter(self.files))

    @property
    def hash(self) -> str:
        """Of all files: the same code wherever it lies."""
        return self.digest[:HASH_LENGTH]

    @cached_property
    def digest(self) -> str:
        """The same in full length, which nobody can meet with another code."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: name a file of Python") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def _tree(path: Path, content: bytes) -> ast.Module:
    try:
        return ast.parse(content, str(path))
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise UserError(f"{path}{where}: {error.msg}") from None
    except ValueError as error:
        raise UserError(f"{path} is no file of Python: {error}") from None


def _neighbours(tree: ast.Module, file: Path, folder: Path) -> Iterator[Path]:
    """The files of the folder that a file imports, at whatever place of it: each a module, or all of a package."""
    for name in sorted(set(_imported(tree))):
        module, package = folder / f"{name}.py", folder / name
        if package.joinpath("__init__.py").is_file():
            yield from sorted(package.rglob("*.py"))
        elif module.is_file() and module != file:
            yield module


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
