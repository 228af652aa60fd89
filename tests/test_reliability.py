"""docs/reliability.md names a test for what it says, and each is there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_each_test_that_the_page_names_is_there():
    page = (TESTS.parent / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", page)
    assert len(named) > 30
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (TESTS / file).read_text()]
    assert missing == []
