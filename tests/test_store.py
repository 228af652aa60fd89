"""The files of runs and sweeps: what one process writes, another reads, whole or half written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duograd.runner.errors import UserError
from duograd.runner.store import files, lines, overrides
from duograd.runner.store.lines import Tail, Writer

ROWS = [{"epoch": 1, "train/loss": 2.0}, {"epoch": 2, "train/loss": 1.0}, {"epoch": 3, "train/loss": 0.5}]


@given(st.data())
def test_a_tail_gives_each_row_once_however_the_file_grows(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("tail") / "metrics.jsonl"
    content = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    tail, seen = Tail(path), []
    assert tail.new() == []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    for end in [*cuts, len(content)]:
        path.write_bytes(content[:end])
        seen += tail.new()
    assert seen == ROWS


def test_a_tail_starts_again_where_the_file_was_cut_back(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    tail = Tail(path)
    tail.new()
    path.write_text(json.dumps(ROWS[0]) + "\n")
    assert tail.new() == ROWS[:1]


def test_what_is_no_object_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1, "train/loss": 2.0}\n{"epo{"epoch": 2}\n[3]\n{"epoch": 3, "x": NaN, "y": "z"}\n{"ep')
    assert lines.epochs(lines.read(path)) == [(1, {"train/loss": 2.0}), (3, {})]


def test_a_writer_goes_on_after_the_rows_that_are_known(tmp_path):
    writer = Writer(tmp_path / "metrics.jsonl")
    writer.write(ROWS)
    writer.cut(lambda row: row["epoch"] <= 1)
    writer.write(ROWS[2:])
    writer.close()
    assert lines.read(writer.path) == [ROWS[0], ROWS[2]]
    with writer.path.open("a") as file:
        file.write('{"epoch": 3, "tr')  # torn by a full disk
    writer.cut(lambda row: row["epoch"] <= 3)
    assert lines.read(writer.path) == [ROWS[0], ROWS[2]]
    assert writer.path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("content", ['{"torn": ', "[1, 2]", "\x00\xff", "", "[" * 100_000])
def test_damage_is_one_line_that_names_the_file(content, tmp_path):
    path = tmp_path / "run.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(UserError, match=r"^\S*run\.json is damaged \(.*\)$"):
        files.read_json(path)
    assert files.read_json(tmp_path / "none.json") == {}


def test_overrides_are_what_hydra_reads():
    typed = ["+loss.lambda=1e-5", "~loss.beta", "model.dense=[64, 32]", "data.root='a=b, c'", "optimizer=adam"]
    assert overrides.by_key(typed) == {
        "loss.lambda": "1e-5",
        "loss.beta": "",
        "model.dense": "[64, 32]",
        "data.root": "'a=b, c'",
        "optimizer": "adam",
    }
    assert overrides.as_typed("'a=b, c'") == "a=b, c"
    with pytest.raises(UserError, match="cannot read 'data"):
        overrides.key_of("data.root=a=b")
