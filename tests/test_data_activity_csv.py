"""Columns out of CSV text, channels by name, and the line that is at fault."""

from functools import partial

import numpy as np
import pytest
from faults import fault_of

from duograd.data.formats.csv import read_columns
from duograd.data.formats.motionsense import find_channels, units_of

HEADER = ",gravity.x,gravity.y,userAcceleration.x\n"
ROWS = "0,0.5,-1,2e-3\n1,0.25,+3,-0.125\n"


def read(text: str | bytes, *columns: str) -> np.ndarray:
    content = text if isinstance(text, bytes) else text.encode()
    return read_columns(content, "walk.csv", columns or ("gravity.y", "gravity.x"))


fault = partial(fault_of, read)


def test_columns_come_in_the_order_asked_for() -> None:
    values = read(HEADER + ROWS)
    np.testing.assert_array_equal(values, [[-1, 0.5], [3, 0.25]])
    assert values.dtype == np.float64
    assert read(HEADER + "0,1,2,3").shape == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + ROWS,
        (HEADER + ROWS).replace("\n", "\r\n"),
        HEADER + ROWS.rstrip(),
        HEADER.replace("gravity.x", '"gravity.x"') + ROWS + "\n\n",
        HEADER.replace(",", " , ") + ROWS.replace(",", " , "),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in (HEADER + ROWS).splitlines()),
        (HEADER + ROWS).replace(",", ";"),
        (HEADER + ROWS).replace(",", ";").replace(".", ","),
        (HEADER + ROWS).replace(",", "\t"),
        (HEADER + ROWS).encode("utf-16"),
        b"\xfe\xff" + (HEADER + ROWS).encode("utf-16-be"),
        (HEADER + ROWS).encode("utf-16-be"),
        (HEADER + ROWS).encode("utf-16-le"),
        (HEADER + ROWS).replace(",", "|"),
        (HEADER + ROWS).replace("\n", "\r"),
    ],
    ids=[
        *("byte-order mark", "Windows line ends", "no last line end", "quotes and blank lines", "spaces"),
        *("all quoted", "semicolons", "semicolons and decimal commas", "tabs", "UTF-16", "UTF-16 of another order"),
        *("UTF-16 without a mark", "likewise, of another order", "bars"),
        "old Mac line ends",
    ],
)
def test_what_other_programs_write(text: str | bytes) -> None:
    np.testing.assert_array_equal(read(text), [[-1, 0.5], [3, 0.25]])


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("0,1,x,3\n", "line 4 has 'x' as gravity.y, not a finite number: repair or remove that line"),
        ("0,,2,3\n", "line 4 has '' as gravity.x, not a finite number: "),
        ("0,1,nan,3\n", "line 4 has 'nan' as gravity.y, not a finite number: "),
        ("0,1,-inf,3\n", "line 4 has '-inf' as gravity.y, not a finite number: "),
        ("0,1e999,2,3\n", "line 4 has '1e999' as gravity.x, not a finite number: "),
        ("0,1,2\n", "line 4 has 3 values, expected 4: repair or remove that line"),
        ("0,1\n", "line 4 has 2 values, expected 4: "),
        ("0,1,2,3,4\n", "line 4 has 5 values, expected 4: "),
        ("\n0,1,#2,3\n", "line 5 has '#2' as gravity.y, not a finite number: "),
        ("<<<<<<<\n", "line 4 has 1 values, expected 4: "),
        ("0,1\0,2,3\n", "line 4 has '1\\x00' as gravity.x, not a finite number: "),
    ],
)
def test_the_line_at_fault_is_named(rows: str, line: str) -> None:
    assert fault(HEADER + ROWS + rows + ROWS).startswith(f"walk.csv {line}")


def test_a_fault_elsewhere_does_not_matter() -> None:
    np.testing.assert_array_equal(read(HEADER + "0,1,2,oops\n"), [[2, 1]])


def test_what_is_no_recording() -> None:
    assert fault(HEADER) == "walk.csv has no rows: give a recording, or remove the file"
    assert fault(b"").startswith("walk.csv has no column 'gravity.y': ")
    assert fault("gravity.X,gravity.y\n1,2\n") == (
        "walk.csv has no column 'gravity.x': did you mean 'gravity.X'? it has gravity.X, gravity.y"
    )
    assert fault(b"\xff\xfe\x00junk\n\x00\x01\n").startswith("walk.csv has no column 'gravity.y': ")
    assert fault(HEADER.encode() + b"0,1,\xff,3\n").startswith("walk.csv line 2 has ")
    assert fault(HEADER + "0,1_0,2,3\n").startswith("walk.csv cannot be read as CSV (")  # a number to Python alone


def test_a_group_stands_for_its_axes() -> None:
    names = [channel.name for channel in find_channels(["gravity", "attitude.yaw"])]
    assert names == ["gravity.x", "gravity.y", "gravity.z", "attitude.yaw"]
    assert find_channels(["total_acceleration"])[1].columns == ("gravity.y", "userAcceleration.y")
    assert units_of(find_channels(["total_acceleration", "rotationRate", "gravity.x"])) == "g, rad/s"


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ([], "data.channels=[] asks for no channel: name some, such as data.channels=[total_acceleration]"),
        (["gravty"], "data.channels has unknown channel 'gravty': did you mean 'gravity'? known: attitude, gravity,"),
        (["useracceleration.x"], "data.channels has unknown channel 'useracceleration.x': did you mean 'userAcc"),
        (["zzz"], "data.channels has unknown channel 'zzz': known: attitude, gravity, rotationRate, userAcceleration"),
        (["gravity", "gravity.z"], "data.channels asks for 'gravity.z' twice: name it once"),
    ],
)
def test_channels_that_are_not(names: list[str], line: str) -> None:
    assert fault_of(find_channels, names).startswith(line)
