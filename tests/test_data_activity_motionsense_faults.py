"""Each fault of a MotionSense archive or folder is one line that names it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from motionsense_builders import COLUMNS, TOP, as_folder, as_zip, fault, people_in, read, study

from duograd.data.formats.motionsense import LAYOUT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return as_zip(tmp_path / "study.zip", study())


def edited(name: str, *lines: tuple[int, str]) -> dict[str, str]:
    """The study with some lines of one file replaced, counted from 1."""
    files = study()
    text = files[name].split("\n")
    for number, line in lines:
        text[number - 1] = line
    return {**files, name: "\n".join(text)}


LAST = "wlk_6/sub_3.csv"


@pytest.mark.parametrize(
    ("files", "keys", "line"),
    [
        (
            edited(LAST, (7, "5,0,0,0,oops" + ",0" * 8)),
            {},
            "/wlk_6/sub_3.csv line 7 has 'oops' as gravity.x, not a finite",
        ),
        (
            edited(LAST, (9, "7,0,0")),
            {},
            "/wlk_6/sub_3.csv line 9 has 3 values, expected 13: repair or remove that line",
        ),
        (
            edited(LAST, (2, "0,0,0,0,nan" + ",0" * 8)),
            {},
            "/wlk_6/sub_3.csv line 2 has 'nan' as gravity.x, not a finite",
        ),
        (
            edited(LAST, (1, "," + ",".join([*COLUMNS[:3], "Gravity.x", *COLUMNS[4:]]))),
            {},
            "/wlk_6/sub_3.csv has no column",
        ),
        (
            study(),
            {"window": 22},
            "/dws_1/sub_1.csv has 21 rows, shorter than a window of 22: set data.window=21 or less",
        ),
        (study(**{LAST: ""}), {}, "/wlk_6/sub_3.csv has no column 'gravity.x': "),
        (
            study(**{"run_9/sub_1.csv": ""}),
            {},
            "/run_9/sub_1.csv: unknown activity 'run': known: dws, jog, sit, std, ups,",
        ),
        (
            study(**{"jgo_9/sub_1.csv": ""}),
            {},
            "/jgo_9/sub_1.csv: unknown activity 'jgo': did you mean 'jog'? known: dws,",
        ),
    ],
)
def test_a_recording_at_fault_is_named(tmp_path: Path, files: dict[str, str], keys: dict[str, Any], line: str) -> None:
    assert fault(as_zip(tmp_path / "study.zip", files), **keys).startswith(TOP + line)
    assert fault(as_folder(tmp_path / TOP, files).parent, **keys).startswith(TOP + line)


def test_people_and_activities_that_are_missing(tmp_path: Path) -> None:
    root = as_zip(tmp_path / "study.zip", study(4, **{"jog_2/sub_3.csv": None}))
    assert fault(root) == (
        "person 3 has no recording of jogging: add jog_<trial>/sub_3.csv, or name the people to use in data.people=[…]"
    )
    assert people_in(read(root, people=[1, 2, 4], channels=["gravity"]).train) < {1, 2, 4}
    assert fault(root, people=[1, 9]) == "data.people asks for person 9, who is not in the data: there are 1, 2, 3, 4"
    assert fault(root, people=[1, 2, 4], test_people=[3]) == (
        "data.test_people asks for person 3, who is not in the data: there are 1, 2, 4"
    )
    assert fault(root, people=[1, 2]).startswith(
        "of 2 people, 1 for test and 1 for validation leave nobody for training"
    )


def test_what_is_no_archive(tmp_path: Path) -> None:
    missing, text, empty = tmp_path / "none", tmp_path / "text.csv", tmp_path / "empty.zip"
    text.write_text("a,b\n")
    as_zip(empty, {})
    assert fault(missing).startswith(
        f"data.root={missing} does not exist: give {TOP}, a folder or a zip or tar archive, or use"
    )
    assert fault(text) == f"{text} cannot be read as a zip archive (File is not a zip file): download or copy it again"
    for root in (empty, tmp_path, as_zip(tmp_path / "other.zip", {"sub_1.csv": "", "dws_1/person_1.csv": ""})):
        assert fault(root) == f"data.root={root} holds no recordings: give a folder or archive with {LAYOUT}"


def test_other_files_are_counted_and_a_tar_archive_is_read(tmp_path: Path, root: Path) -> None:
    folder = as_folder(tmp_path / "all" / TOP, study(**{"notes.csv": "a", "wlk_6/sub_3 (1).csv": "b"}))
    (folder / "again").symlink_to(folder / "dws_1")
    dataset = read(folder)
    assert dataset.notes == (
        f"2 .csv skipped: not {TOP}/<activity>_<trial>/sub_<person>.csv",
        "1 skipped: links to what is read already",
    )
    packed = shutil.make_archive(str(tmp_path / "study"), "gztar", tmp_path / "all")
    assert read(Path(packed)).digest == dataset.digest == read(root).digest


def test_a_damaged_archive(root: Path, tmp_path: Path) -> None:
    content = bytearray(root.read_bytes())
    content[200] ^= 0xFF
    root.write_bytes(content)
    line = fault(root)
    assert line.startswith(f"{TOP}/dws_1/sub_1.csv cannot be read (")
    assert line.endswith("): download or copy it again")
    root.write_bytes(content[:-30])
    assert fault(root).startswith(f"{root} cannot be read as a zip archive (")


def test_the_same_recording_twice(tmp_path: Path) -> None:
    root = as_folder(tmp_path / "twice", {f"{copy}/{name}": text for name, text in study().items() for copy in "ab"})
    assert fault(root) == "a/dws_1/sub_1.csv and b/dws_1/sub_1.csv are the same recording: remove one of them"


def test_a_pinned_digest_of_ones_own_archive(root: Path, tmp_path: Path) -> None:
    assert "but data.sha256 says 000" in fault(root, sha256="0" * 64)
    assert fault(as_folder(tmp_path / "f", study()), sha256="0" * 64).endswith(
        "is a folder, and data.sha256 is of a zip archive: leave data.sha256 out"
    )
