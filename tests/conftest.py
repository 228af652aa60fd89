"""What several tests need."""

import os
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import settings

# Two workers share the cores; on tiny arrays, spinning OpenMP threads would cost a hundred times what they compute.
os.environ.setdefault("OMP_NUM_THREADS", "1")

os.environ["DUOGRAD_MLFLOW_SECONDS"] = "3600"  # nor is a mirror that is starved; tests of a limit give their own

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this user's record of own code lies, also for the processes that tests start: not at home."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings and photographs beside the checkout; a test that needs it is skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the folder shared/data beside the checkout")
    return folder


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """What `duograd ARGUMENTS` does in this process, where `tmp_path` is the current directory."""
    from sweep_builders import typing  # which imports duograd

    monkeypatch.chdir(tmp_path)
    with typing(monkeypatch, capsys) as run:
        yield run


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Pretends that a package is installed whose entry points of a group are these, by name."""
    from duograd.runner import registry

    def install(group: str, **references: str) -> None:
        points.extend(EntryPoint(name, reference, group) for name, reference in references.items())
        registry.references.cache_clear()

    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])
    yield install
    registry.references.cache_clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted (record_property("count", …)), also where other processes ran them."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "count":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
