"""The notebooks of examples/ run as they are, and are kept without what came out."""

from pathlib import Path

import pytest
from patience import HANGING_S

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.slow  # make notebooks
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
@pytest.mark.filterwarnings("default")  # of Jupyter's own
def test_a_notebook_runs_and_shows_no_control_characters(path, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    NotebookClient(notebook, timeout=HANGING_S, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = [output.get("text") or output.get("data", {}).get("text/html", "") for output in outputs]
    assert not any("\x1b" in text for text in texts)
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert any("<progress" in text for text in texts)  # updated in place: one of them for all epochs
    assert sum("epoch " in text for text in texts) < 20


def test_each_task_has_one():
    tasks = {path.stem for path in (Path(__file__).parents[1] / "conf" / "task").glob("*.yaml")}
    assert tasks == {path.stem for path in NOTEBOOKS}
