"""What the configs of movement accept, and what they say otherwise."""

import pytest
from data_builders import from_yaml
from pydantic import ValidationError


def test_the_course_file_has_no_default() -> None:
    with pytest.raises(ValidationError, match=r"data=activity_h5 needs data\.path=FILE, an HDF5 file of windows"):
        from_yaml("activity_h5")


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("motionsense", "window", 1),
        ("motionsense", "step", 0),
        ("motionsense", "balance", "oversample"),
        ("motionsense", "channels", "gravity"),
        ("motionsense", "people", []),
        ("motionsense", "test_people", ["1"]),
        ("motionsense", "test_fraction", 1.0),
        ("motionsense", "url", "file:///data.zip"),
        ("motionsense", "sha256", "abc"),
        ("gait", "count", 5),
        ("gait", "test_count", 0),
        ("gait", "noise", -0.1),
        ("gait", "people", 0),
        ("gait", "standardise", 1),
    ],
)
def test_out_of_bounds_is_refused(name: str, key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        from_yaml(name, **{key: value})


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("sha256", "abc", "data.sha256 needs 64 hex digits, not 'abc'"),
        ("url", "ftp://host/a.zip", "data.url needs an address, http:// or https://, not 'ftp://host/a.zip'"),
    ],
)
def test_forms_are_said_plainly(key: str, value: str, line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_yaml("motionsense", **{key: value})
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == line


def test_nobody_validates_and_tests() -> None:
    with pytest.raises(ValidationError) as caught:
        from_yaml("motionsense", validation_people=[1, 4], test_people=[2, 4])
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == (
        "person 4 is in data.validation_people and in data.test_people: leave them in one of the two"
    )
