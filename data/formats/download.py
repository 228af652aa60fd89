"""A zip archive from the internet, into the user's cache: whole and of the right digest, or not there at all."""

import hashlib
import http.client
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from duograd.data.errors import DataError, reason
from duograd.data.formats.files import user_path

CHUNK = 1 << 20  # bytes
MEGABYTE = 1e6
TIMEOUT = 30.0  # seconds without a byte
STALE = 3600.0  # seconds after which a part belongs to no running download: its process was killed
NETWORK = (OSError, http.client.HTTPException, ValueError)  # ValueError: a URL that cannot be one


class Download(NamedTuple):
    """What to fetch, and how errors about it begin and end."""

    url: str
    what: str
    remedy: str

    def fault(self, why: object) -> DataError:
        """The one line that says why it cannot be had."""
        return DataError(f"{self.what} could not be downloaded from {self.url} ({reason(why)}): {self.remedy}")


def cache_folder() -> Path:
    """Where downloads go: $DUOGRAD_DATA, else ~/.cache/duograd."""
    return user_path(os.environ.get("DUOGRAD_DATA") or "~/.cache/duograd")


def fetch(download: Download, folder: Path, sha256: str | None) -> Path:
    """The archive in `folder`, downloaded unless it is there, and its digest checked in either case.

    sha256: the digest that it must have. None trusts the first download, writes its digest beside it (FILE.sha256),
    and holds every later reading and download to that.
    Raises DataError where it cannot be had whole or has another digest; the folder then holds no part of it.
    """
    path = folder / (download.url.partition("?")[0].rstrip("/").rpartition("/")[2] or "download.zip")
    record = path.with_name(f"{path.name}.sha256")
    try:
        recorded = (record.read_text().strip() or None) if record.exists() else None
        expected, whose = (sha256, "data.sha256") if sha256 else (recorded, str(record))
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _download(download, path, expected, whose)
        elif expected is not None:
            require_digest(path, expected, whose, f"delete {path} to have it downloaded again")
        if recorded is None:
            record.write_text(f"{digest_of(path)}\n")
    except OSError as error:
        remedy = "make room, or set DUOGRAD_DATA=FOLDER"
        raise DataError(f"{folder} cannot hold {path.name} ({error.strerror or error}): {remedy}") from error
    return path


def require_digest(path: Path, expected: str, whose: str, remedy: str) -> None:
    """Raises DataError unless the file has the digest that `whose` asks for."""
    digest = digest_of(path)
    if digest != expected:
        raise DataError(f"{path} has sha256 {digest}, but {whose} says {expected}: {remedy}")


def digest_of(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(download: Download, path: Path, expected: str | None, whose: str) -> None:
    """Into a part beside `path`, renamed to it once it is whole and right; removed in every other case."""
    _sweep(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            _receive(download, file)
        if not zipfile.is_zipfile(part):
            raise download.fault("what came is no zip archive")
        digest = digest_of(part)
        if expected not in (None, digest):
            raise download.fault(f"what came has sha256 {digest}, but {whose} says {expected}")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Removes parts that killed processes left behind."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        with suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()


def _receive(download: Download, file: IO[bytes]) -> None:
    """Writes the whole reply to `file`. Raises DataError where the network fails, OSError where the disk does."""
    print(f"downloading {download.url}", file=sys.stderr)
    done, seen = 0, sys.stderr.isatty()
    with _opened(download) as response:
        length = response.getheader("Content-Length")
        of = f" of {int(length) / MEGABYTE:.1f}" if length else ""
        while chunk := _read(download, response):
            done += file.write(chunk)
            if seen:
                print(f"\r  {done / MEGABYTE:.1f}{of} MB", end="", file=sys.stderr, flush=True)
    if seen:
        print(file=sys.stderr)
    if length and done < int(length):  # a connection that ends early reads like the end of the file
        raise download.fault(f"the connection ended after {done} of {length} bytes")


def _opened(download: Download) -> http.client.HTTPResponse:
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(download.url, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:  # it is a reply too, with a connection to close
            raise download.fault(error) from error
    except NETWORK as error:
        raise download.fault(getattr(error, "reason", error)) from error
    return response


def _read(download: Download, response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(CHUNK)
    except NETWORK as error:
        raise download.fault(error) from error
