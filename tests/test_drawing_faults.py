"""A picture that cannot be drawn is a warning: the run ended as its training did."""

import json
import signal
from dataclasses import replace

import pytest
from builders import After, tiny

from duograd.runner import drawing, loop
from duograd.runner.commands import resume
from duograd.runner.compose import compose
from duograd.runner.context import alone
from duograd.runner.hooks.interruption import Interruption
from duograd.runner.plots.figure import draw_figure
from duograd.runner.run import run
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder


def broken(name, error):
    """Draws all figures but one."""

    def draw(asked, finished):
        if asked == name:
            raise error
        draw_figure(asked, finished)

    return draw


def test_a_figure_that_raises_is_a_warning(tmp_path, monkeypatch, capsys):
    assert run(tiny("epochs=2"), RunFolder(tmp_path / "whole"), []) == 0
    monkeypatch.setattr(drawing, "draw_figure", broken("loss_curve", ZeroDivisionError("planted")))
    folder = RunFolder(tmp_path / "run")
    assert run(tiny("epochs=2"), folder, []) == 0
    summary, whole = files.read_json(folder.summary), files.read_json(RunFolder(tmp_path / "whole").summary)
    assert [summary[key] for key in ("status", "error", "metrics", "pca")] == [
        whole[key] for key in ("status", "error", "metrics", "pca")
    ]
    assert "drawing" not in summary
    assert "loss_curve could not be drawn: ZeroDivisionError('planted')" in capsys.readouterr().out
    assert "Traceback" in folder.log.read_text()
    assert not (folder.figures / "loss_curve.png").exists()
    assert (folder.figures / "hidden_weights.png").exists()


def test_ctrl_c_leaves_out_the_pictures_that_are_left_but_no_fact(tmp_path, monkeypatch):
    class CtrlC(Interruption):
        pressed = False

        @property
        def caught(self):
            return signal.SIGINT if self.pressed else None

    ctrl_c, folder, drawn = CtrlC(), RunFolder(tmp_path / "run"), []

    def draw(name, finished):
        drawn.append(name)
        ctrl_c.pressed = True

    monkeypatch.setattr(drawing, "draw_figure", draw)
    assert run(tiny("epochs=2"), folder, [], replace(alone(), interruption=ctrl_c)) == 0
    summary = files.read_json(folder.summary)
    assert (summary["status"], len(drawn), "pca" in summary) == ("FINISHED", 1, True)


def test_ctrl_c_during_the_last_evaluation_is_made_up_for_by_resume(tmp_path, monkeypatch):
    folder, said = RunFolder(tmp_path / "run"), []
    ctrl_c = After(10**9)

    def evaluate(training, before):
        ctrl_c.steps = 0
        said.append(before("train"))

    with monkeypatch.context() as patch:
        patch.setattr(loop, "evaluate_all", evaluate)
        assert run(tiny("epochs=2"), folder, [], replace(alone(), interruption=ctrl_c)) == 128 + signal.SIGINT
    assert (files.read_json(folder.summary)["status"], said) == ("KILLED", [])
    assert resume.main([str(folder.path)]) == 0
    assert files.read_json(folder.summary)["metrics"]


def test_what_a_picture_gives_beside_itself_is_kept(tmp_path, monkeypatch):
    small = ["tracking=none", "preset=smoke", "data.count=120", "data.test_count=60", "data.window=30"]
    monkeypatch.setattr(drawing, "draw_figure", broken("confusion_matrices", ValueError("planted")))
    folder = RunFolder(tmp_path / "run")
    assert run(compose(["task=activity", "model=rnn_dense2", *small]), folder, []) == 0
    assert set(files.read_json(folder.summary)["f1"]) >= {"train", "test"}


def test_a_run_that_was_killed_while_drawing_is_drawn_by_resume(tmp_path, monkeypatch, capsys):
    folder = RunFolder(tmp_path / "run")
    monkeypatch.setattr(drawing, "draw_figure", broken("loss_curve", KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(tiny("epochs=2"), folder, [])
    summary = json.loads(folder.summary.read_text())
    assert (summary["status"], summary["drawing"]) == ("FINISHED", True)
    monkeypatch.undo()
    checkpoint = folder.checkpoint.read_bytes()
    assert resume.main([str(folder.path)]) == 0
    assert (folder.figures / "loss_curve.png").exists()
    assert folder.checkpoint.read_bytes() == checkpoint
    assert "drawing" not in files.read_json(folder.summary)
    assert resume.main([str(folder.path)]) == 0
    assert "is finished already" in capsys.readouterr().out
