"""The copies of users' code that a run's or a sweep's folder keeps, so that it can go on whatever becomes of the files.

`code/HASH/my_net.py`, its neighbours beside it; `code/origins.json` says by hash which file it was copied of.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.own import familiar, modules
from duograd.runner.own.code import Code
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder

FOLDER, ORIGINS = "code", "origins.json"


def keep(config: Any, folder: Path) -> None:
    """Copies the code of all parts of a run that come from files of the user's, where it is not kept yet."""
    for part in (config.data, config.model, config.loss, config.optimizer):
        if getattr(part, "file", None) is not None:
            _keep(modules.code(part.hash), folder / FOLDER)


def _keep(code: Code, place: Path) -> None:
    origins = files.read_json(place / ORIGINS)
    if code.hash in origins:
        return
    for name, content in code.files.items():
        path = place / code.hash / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, content)
    entry = {"file": str(code.origin), "main": next(iter(code.files))}
    files.write_json(place / ORIGINS, {**origins, code.hash: entry}, exact=True)


def kept(folder: Path) -> Iterator[Code]:
    """The codes that a folder has copies of. Raises DamagedError where one is not what it was."""
    place = folder / FOLDER
    for digest, origin in files.read_json(place / ORIGINS).items():
        try:
            read = Code.read(place.resolve() / digest / str(origin["main"]))
            code = Code(Path(str(origin["file"])), read.folder, read.files)
        except (UserError, KeyError, TypeError) as error:
            raise files.DamagedError(f"{place / digest} is damaged ({error})") from None
        if code.hash != digest:
            raise files.DamagedError(f"{place / digest} is not the code that the run began with: put it back")
        if strange := _strangers(code):
            raise files.DamagedError(f"{strange[0]} is not of the code that the run began with: take it away")
        yield code


def _strangers(code: Code) -> list[Path]:
    """What lies beside the files of a copy, where Python would import it before what the code means."""
    inside = (path for path in code.folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path for path in inside if path.relative_to(code.folder).as_posix() not in code.files)


def restore(folder: Path, trust: bool, remedy: str) -> dict[Path, Code]:
    """Imports the code that a folder keeps; by the file that it was copied of.

    remedy: what is typed to trust it. Raises UserError where this user has never run it, or his file says something
    else by now, this process did not import it before, and nobody said that it can be trusted.
    """
    copies = {code.origin: code for code in kept(folder)}
    for code in copies.values():
        if not (trust or modules.is_loaded(code.hash)):
            _refuse_unasked(code, remedy)
    for code in copies.values():
        modules.load(code)
    return copies


def _refuse_unasked(code: Code, remedy: str) -> None:
    if not familiar.is_familiar(code):
        raise UserError(
            f"{code.folder} is code that you have not run before, maybe anybody's: look at it, then {remedy}"
        )
    if not _says_the_same(code):
        raise UserError(
            f"{code.origin} is gone or differs from its copy in {code.folder}, with which this began: to go on with "
            f"the copy, {remedy}; what the file says now is a new run"
        )


def _says_the_same(code: Code) -> bool:
    """Whether the user's file still says what its copy says."""
    try:
        return Code.read(code.origin).hash == code.hash
    except (OSError, UserError):
        return False


def restore_run(folder: RunFolder, trust: bool, remedy: str) -> None:
    """The same for a run, whose folder must have a copy of all its code. Raises UserError."""
    restore(folder.path, trust, remedy)
    for part in folder.read_config().values():
        if isinstance(part, Mapping) and part.get("hash") and not modules.is_loaded(str(part["hash"])):
            raise UserError(
                f"{folder.path / FOLDER} has no copy of {part.get('file')} as it was when the run began "
                f"({part['hash']}): put it back, or start a new run"
            )
