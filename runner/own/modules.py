"""What was imported of users' files, by the hash of their code: the same code is imported once.

Nothing here imports unasked: `load` does, `module` finds what it did.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

from duograd.runner.errors import UserError
from duograd.runner.own import familiar
from duograd.runner.own.code import Code
from duograd.runner.own.faults import OwnCodeError, fault_of, own_faults

_modules: dict[str, ModuleType] = {}
_codes: dict[str, Code] = {}
_copies: ContextVar[Mapping[Path, Code] | None] = ContextVar("copies", default=None)
_believed: ContextVar[bool] = ContextVar("believed", default=True)  # files without a copy


def load(code: Code) -> ModuleType:
    """The module of a code. Raises OwnCodeError where importing it raises."""
    if code.hash not in _modules:
        _forget_neighbours(code)
        module = ModuleType(f"{code.path.stem}_{code.hash}")
        module.__file__ = str(code.path)
        sys.modules[module.__name__] = module  # dataclasses look there
        _codes[code.hash] = code
        try:
            with guarded(), _neighbours(code.folder):
                exec(compile(code.files[code.path.name], str(code.path), "exec"), module.__dict__)
        except BaseException:
            del sys.modules[module.__name__], _codes[code.hash]
            raise
        _modules[code.hash] = module
        familiar.remember(code)
    return _modules[code.hash]


def is_loaded(digest: str) -> bool:
    """Whether the code of that hash was imported."""
    return digest in _modules


def module(digest: str) -> ModuleType:
    """The module of a code that was loaded. Raises UserError where it was not."""
    if digest not in _modules:
        raise UserError(f"own code {digest} is not imported unasked: duograd resume goes on with a run that has it")
    return _modules[digest]


def code(digest: str) -> Code:
    """The code of a module that was loaded."""
    return _codes[digest]


def guarded() -> AbstractContextManager[None]:
    """What users' code raises in the block is an OwnCodeError."""
    return own_faults(files)


def refusal(error: Exception) -> UserError:
    """An error of one line, with the traceback of the user's code where it was that which raised."""
    fault = fault_of(error.__cause__, files()) if error.__cause__ else None
    return OwnCodeError(str(error), fault.traceback) if fault else UserError(str(error))


def files() -> frozenset[str]:
    """The names of all files of users' code, as tracebacks have them."""
    return frozenset(str(code.folder / name) for code in _codes.values() for name in code.files)


def find(path: Path) -> Code:
    """The code of a file: the copy that stands for it, where one does. Raises UserError."""
    copies = _copies.get() or {}
    called = [copy for copy in copies.values() if copy.path.name == path.name]  # of a project that was moved
    if copy := copies.get(path) or (called[0] if len(called) == 1 else None):
        return copy
    if not _believed.get():
        raise UserError(
            f"{path} has no copy in the folder that names it, and may be anybody's: look at it, then add --trust"
        )
    return Code.read(path)


@contextmanager
def standing_in(copies: Mapping[Path, Code], trust: bool) -> Iterator[None]:
    """Inside the block, copies are what is found of the files that they were made of.

    trust: other files are read as well. A folder may have come from elsewhere with the files that it names.
    """
    token, before = _copies.set(copies), _believed.set(trust)
    try:
        yield
    finally:
        _copies.reset(token)
        _believed.reset(before)


@contextmanager
def _neighbours(folder: Path) -> Iterator[None]:
    """Inside the block, files of the folder are found before all others, as `python my_net.py` would find them. Later,
    for imports inside of functions, after all others: a random.py of the user's is not everybody's."""
    theirs = {str(code.folder) for code in _codes.values()} | {str(folder)}
    before, writes = [place for place in sys.path if place not in theirs], sys.dont_write_bytecode
    sys.path[:], sys.dont_write_bytecode = [str(folder), *before], True  # a run's folder keeps what it was given
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = [*before, str(folder)], writes


def _forget_neighbours(code: Code) -> None:
    """Another folder's files of the same names are not taken for this one's neighbours."""
    names = {name.partition("/")[0].removesuffix(".py") for name in code.files}
    for name, other in list(sys.modules.items()):
        file = getattr(other, "__file__", None)
        if name.partition(".")[0] in names and file in files() and not Path(str(file)).is_relative_to(code.folder):
            del sys.modules[name]
