"""A download is whole and of the right digest, or it leaves nothing; all against a server on this machine."""

import errno
import hashlib
import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO, Any

import pytest
from faults import fault_of

from duograd.data.errors import DataError
from duograd.data.formats import download as module
from duograd.data.formats.download import Download
from duograd.data.sources.motionsense import MotionSense, archive

REMEDY = "give data.root=DIR, a folder or zip archive that you have, or use data=gait, which is simulated"


def zipped(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a.csv", text)
    return content.getvalue()


GOOD = zipped("good" * 50_000)
DIGEST = hashlib.sha256(GOOD).hexdigest()
OTHER = zipped("changed since")


class Server(HTTPServer):
    """Sends `content`; claims that it is `length` long; counts requests."""

    content: bytes = GOOD
    length: int | None = len(GOOD)
    status: int = 200
    requests: int = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(self.server.status)
        if self.server.length is not None:
            self.send_header("Content-Length", str(self.server.length))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.01,))
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUOGRAD_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache" / "motionsense"


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/A_DeviceMotion_data.zip"


def get(server: Server, sha256: str | None = None) -> Path:
    return archive(MotionSense(url=url(server), sha256=sha256))


fault = partial(fault_of, get)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("sha256", [None, DIGEST], ids=["trusted", "pinned"])
def test_downloads_once(server: Server, cache: Path, sha256: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    path = get(server, sha256)
    assert path == cache / "A_DeviceMotion_data.zip"
    assert path.read_bytes() == GOOD
    assert left(cache) == ["A_DeviceMotion_data.zip", "A_DeviceMotion_data.zip.sha256"]
    assert (cache / "A_DeviceMotion_data.zip.sha256").read_text() == f"{DIGEST}\n"
    assert get(server, sha256) == path
    assert server.requests == 1
    assert capsys.readouterr() == ("", f"downloading {url(server)}\n")


def test_progress_is_shown_on_a_terminal(
    server: Server, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(module, "CHUNK", 100)
    server.content, server.length = OTHER, len(OTHER)
    get(server)
    assert capsys.readouterr().err.endswith("\r  0.0 of 0.0 MB\r  0.0 of 0.0 MB\n")


def test_a_server_that_does_not_tell_the_length(server: Server, cache: Path) -> None:
    server.length = None
    assert get(server).read_bytes() == GOOD


def test_another_digest_than_the_pinned_one_is_refused_and_nothing_kept(server: Server, cache: Path) -> None:
    pin = "0" * 64
    assert fault(server, pin) == (
        f"data=motionsense could not be downloaded from {url(server)} "
        f"(what came has sha256 {DIGEST}, but data.sha256 says {pin}): {REMEDY}"
    )
    assert left(cache) == []


def test_the_first_download_binds_later_ones(server: Server, cache: Path) -> None:
    path = get(server)
    path.write_bytes(OTHER)
    changed = hashlib.sha256(OTHER).hexdigest()
    record = cache / "A_DeviceMotion_data.zip.sha256"
    assert fault(server) == (
        f"{path} has sha256 {changed}, but {record} says {DIGEST}: delete {path} to have it downloaded again"
    )
    path.unlink()
    server.content, server.length = OTHER, len(OTHER)
    assert f"what came has sha256 {changed}, but {record} says {DIGEST}" in fault(server)
    assert left(cache) == [record.name]
    assert get(server, changed.upper()).read_bytes() == OTHER  # a pin of the user's own weighs more


def test_a_pin_is_checked_against_what_is_there(server: Server, cache: Path) -> None:
    path = get(server)
    assert fault(server, "1" * 64).startswith(f"{path} has sha256 {DIGEST}, but data.sha256 says 1111")
    assert path.exists()


@pytest.mark.parametrize("record", [None, ""], ids=["put there by hand", "record cut short by a kill"])
def test_an_archive_without_a_record_is_trusted_and_recorded(server: Server, cache: Path, record: str | None) -> None:
    cache.mkdir(parents=True)
    (cache / "A_DeviceMotion_data.zip").write_bytes(GOOD)
    if record is not None:
        (cache / "A_DeviceMotion_data.zip.sha256").write_text(record)
    get(server)
    assert (cache / "A_DeviceMotion_data.zip.sha256").read_text() == f"{DIGEST}\n"
    assert server.requests == 0


def test_a_cut_connection(server: Server, cache: Path) -> None:
    server.content = GOOD[:100]
    assert fault(server) == (
        f"data=motionsense could not be downloaded from {url(server)} "
        f"(the connection ended after 100 of {len(GOOD)} bytes): {REMEDY}"
    )
    assert left(cache) == []


def test_a_page_in_place_of_the_archive(server: Server, cache: Path) -> None:
    server.content, server.length = b"<html>Sign in to this network</html>", None
    assert "(what came is no zip archive)" in fault(server)
    assert left(cache) == []


def test_an_archive_that_is_gone(server: Server, cache: Path) -> None:
    server.status = 404
    assert fault(server) == (
        f"data=motionsense could not be downloaded from {url(server)} (HTTP Error 404: Not Found): {REMEDY}"
    )


def test_offline(cache: Path) -> None:
    with socket.socket() as nobody:  # bound, so that no other program answers there, but not listening
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/A_DeviceMotion_data.zip"
        with pytest.raises(DataError) as caught:
            archive(MotionSense(url=url))
    assert str(caught.value) == (
        f"data=motionsense could not be downloaded from {url} ([Errno 111] Connection refused): {REMEDY}"
    )
    assert left(cache) == []


def test_an_address_that_is_none(cache: Path) -> None:
    with pytest.raises(DataError, match=r"could not be downloaded from http://a b/ \(.*control characters"):
        archive(MotionSense(url="http://a b/"))


def test_an_interrupt_leaves_nothing(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, seen = module._read, []

    def interrupted(download: Download, response: Any) -> bytes:
        seen.append(left(cache))
        if len(seen) == 2:
            raise KeyboardInterrupt
        return whole(download, response)

    monkeypatch.setattr(module, "CHUNK", 100)
    monkeypatch.setattr(module, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get(server)
    assert len(seen[1]) == 1  # a part was there
    assert left(cache) == []


def test_a_full_disk_leaves_nothing(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Download, file: IO[bytes]) -> None:
        file.write(GOOD[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_receive", full)
    assert fault(server) == (
        f"{cache} cannot hold A_DeviceMotion_data.zip (No space left on device): make room, or set DUOGRAD_DATA=FOLDER"
    )
    assert left(cache) == []


def test_a_cache_that_cannot_be(server: Server, cache: Path) -> None:
    cache.parent.write_text("a file")
    assert fault(server).startswith(f"{cache} cannot hold A_DeviceMotion_data.zip (Not a directory): make room, or")


def test_parts_of_killed_downloads_are_swept(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(parents=True)
    part = cache / ".A_DeviceMotion_data.zip.0123abcd.part"
    part.touch()
    get(server)
    assert part.exists()  # perhaps another process is at it
    (cache / "A_DeviceMotion_data.zip").unlink()
    monkeypatch.setattr(module, "STALE", -1.0)
    get(server)
    assert not part.exists()


def test_without_a_setting_downloads_go_to_the_home_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUOGRAD_DATA", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert module.cache_folder() == Path("/home/someone/.cache/duograd")
