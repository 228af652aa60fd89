"""Folders and archives: each real file once, by the name that people see, and nothing that is too large."""

import io
import os
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pytest
from faults import fault_of

from duograd.data.errors import DataError
from duograd.data.formats import archives, files
from duograd.data.formats.archives import LINKS, open_files
from duograd.data.formats.files import NOWHERE, ODD, TWICE, FolderFiles, read_file


def place(root: Path, *names: str) -> Path:
    """Files at these names, each of which holds its own."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def listed(root: Path) -> tuple[list[str], dict[str, int]]:
    """The names of the files that a folder or an archive holds, sorted, and what is skipped."""
    with open_files(root, "some") as content:
        names = sorted(name for name in content.namelist() if not name.endswith("/"))
        assert all(read_file(content, name) for name in names)
        return names, dict(content.skipped)


fault = partial(fault_of, listed)


@pytest.mark.parametrize(
    ("links", "names", "skipped"),
    [
        ({"cat/again": "cat"}, ["cat/1", "dog/1"], {TWICE: 1}),
        ({"cat/self": "cat/self"}, ["cat/1", "dog/1"], {NOWHERE: 1}),
        ({"cat/all": "."}, ["cat/1", "dog/1"], {TWICE: 1}),
        ({"cat/above": ".."}, ["cat/1", "dog/1"], {TWICE: 1}),
        ({"a": "dog", "z": "dog"}, ["cat/1", "dog/1"], {TWICE: 2}),
        ({"eel": "../else", "fox": "../else"}, ["cat/1", "dog/1", "eel/1"], {TWICE: 1}),
        ({"dog/2": "cat/1"}, ["cat/1", "dog/1"], {TWICE: 1}),
        ({"dog/2": "../else/1", "dog/3": "../else/1"}, ["cat/1", "dog/1", "dog/2"], {TWICE: 1}),
        ({"dog/2": "nowhere"}, ["cat/1", "dog/1"], {NOWHERE: 1}),
        ({"eel": "../else", "cat/2": "../else/1"}, ["cat/1", "dog/1", "eel/1"], {TWICE: 1}),
    ],
)
def test_links_lead_to_each_real_file_once(
    tmp_path: Path, links: dict[str, str], names: list[str], skipped: dict[str, int]
) -> None:
    place(tmp_path, "else/1")
    root = place(tmp_path / "root", "cat/1", "dog/1")
    for link, target in links.items():
        (root / link).symlink_to((root / target).absolute() if target != link else root / link)
    assert listed(root) == (names, skipped)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    root = place(
        tmp_path / "root", "cat/1", ".hidden/1", "cat/.1", "@eaDir/1", "__MACOSX/1", "Thumbs.db", "desktop.ini"
    )
    os.mkfifo(root / "cat" / "p.png")
    assert listed(root) == (["cat/1"], {ODD: 1})
    assert fault(root / "cat" / "p.png").endswith("p.png is neither a folder nor a file: give some")


def zipped(path: Path, *entries: zipfile.ZipInfo | str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for entry in entries:
            archive.writestr(entry, b"content")
    return path


def named(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """An entry of exactly this name, whatever the system's separators."""
    entry = zipfile.ZipInfo("x")
    entry.filename, entry.external_attr = name, mode << 16
    return entry


def test_zip_archives_of_windows_and_macos(tmp_path: Path) -> None:
    windows = zipped(tmp_path / "windows.zip", named("pets\\cat\\1"), named("pets\\dog\\1"))
    assert listed(windows) == (["pets/cat/1", "pets/dog/1"], {})
    macos = zipped(tmp_path / "macos.zip", "k\u00f6pek/1", "__MACOSX/k\u00f6pek/._1", "k\u00f6pek/.DS_Store")
    macos.write_bytes(clear_utf8_flag(macos.read_bytes()))
    assert listed(macos) == (["k\u00f6pek/1"], {})
    linked = zipped(tmp_path / "links.zip", "cat/1", named("cat/2", 0o120777), "./cat//3")
    assert listed(linked) == (["cat/1", "cat/3"], {LINKS: 1})


def clear_utf8_flag(content: bytes) -> bytes:
    """An archive whose headers do not say that names are UTF-8, as macOS writes them."""
    changed = bytearray(content)
    for magic, offset in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        start = -1
        while (start := content.find(magic, start + 1)) >= 0:
            changed[start + offset] &= ~0x08
    return bytes(changed)


@pytest.mark.parametrize(
    ("head", "kind"), [(b"Rar!\x1a\7", "RAR"), (b"7z\xbc\xaf'\x1c", "7-Zip"), (b"(\xb5/\xfd", "Zst")]
)
def test_archives_of_other_kinds_are_named(tmp_path: Path, head: bytes, kind: str) -> None:
    (tmp_path / "a.bin").write_bytes(head + bytes(600))
    assert f"a.bin is a {kind}" in fault(tmp_path / "a.bin")


def test_an_encrypted_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat/1", b"secret")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert fault(path) == "cat/1 is encrypted: unpack the archive, and give the folder"


def test_damaged_zip_archives(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", kind) as archive:
            archive.writestr("cat/1", os.urandom(5000))
        content = bytearray(path.read_bytes())
        content[45:4000] = bytes(3955)
        path.write_bytes(content)
        assert fault(path).startswith("cat/1 cannot be read ("), kind


def tarred(path: Path, mode: str, members: dict[str, bytes | str]) -> Path:
    """An archive of files, and of links where the content is text."""
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a", "w:xz")])
def test_tar_archives_whatever_they_are_called(tmp_path: Path, name: str, mode: str) -> None:
    members = {"./pets/cat/1": b"one", "/pets/dog/1": b"two", "pets/cat/2": "1", "pets/.hidden/1": b"three"}
    path = tarred(tmp_path / name, mode, members)
    assert listed(path) == (["pets/cat/1", "pets/dog/1"], {LINKS: 1})
    with open_files(path, "some") as content:
        content.namelist()
        assert [read_file(content, f"pets/{kind}/1") for kind in ("dog", "cat")] == [b"two", b"one"]
    path.write_bytes(path.read_bytes()[:-700] if mode == "w" else path.read_bytes()[:-40])
    if mode != "w":
        assert fault(path).startswith(f"{path} cannot be read as a tar archive (")


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 100)
    line = "cat/1 holds 101 bytes, more than the 100 that are read of one file: remove it"
    place(tmp_path / "root", "cat/1")
    (tmp_path / "root" / "cat" / "1").write_bytes(bytes(101))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/1", bytes(101))
    tarred(tmp_path / "a.tgz", "w:gz", {"cat/1": bytes(101)})
    for name in ("root", "a.zip", "a.tgz"):
        assert fault(tmp_path / name) == line
    monkeypatch.setattr(archives, "UNPACKED", 5000)
    path = tarred(tmp_path / "bomb.tgz", "w:gz", {"cat/1": bytes(1 << 21)})
    limit = 100 * path.stat().st_size
    assert fault(path) == f"{path} unpacks to more than {limit} bytes: unpack it yourself, and give the folder"


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(DataError, match=r"cannot be opened \(.*Permission denied\): allow it or move it"):
        FolderFiles(tmp_path).namelist()
