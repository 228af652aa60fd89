"""What may be typed: each command line comes to a run that could begin, or to one line and exit code 2; never more."""

import io
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

import pytest
from fuzzing import MANY, Confinement, Tally, cases, damaged, damages
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hypothesis import assume, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from duograd.runner import cli, job
from duograd.runner.commands import bench, gradcheck, ui
from duograd.runner.compose import compose_tree
from duograd.runner.errors import UserError
from duograd.runner.explain import groups
from duograd.runner.reproduce import expected
from duograd.runner.reproduce.sweeps import Commands
from duograd.runner.store.overrides import dotted
from duograd.runner.subcommands import COMMANDS
from duograd.runner.sweep import launch, search

CODES = (0, 1, 2)
FEW_LINES = 40  # each takes a fifth of a second
FLAGS = [
    *(
        "-m",
        "--multirun",
        "--cfg",
        "job",
        "all",
        "hydra",
        "--info",
        "--help",
        "-h",
        "--version",
        "--resolve",
        "--package",
    ),
    "help",
]
OPTIONS = [
    "--n-workers",
    "--scheduler",
    "--out",
    "--uri",
    "--json",
    "--shapes",
    "--trust",
    "--kernel",
    "--port",
    "--nope",
]
VALUES = [
    *(
        "0",
        "1",
        "-1",
        "3",
        "1e-3",
        "1e999",
        "nan",
        "inf",
        "true",
        "null",
        "",
        "a",
        "a,b",
        "1,2",
        "[1,2]",
        "[]",
        "{}",
        "{a: 1}",
        "x=y",
    ),
    *(
        "range(3)",
        "range(0,1000000000)",
        "choice(1,2)",
        "interval(0,1)",
        "tag(log,interval(1e-4,1))",
        "glob(*)",
        "intervall(1)",
    ),
    *(
        "${seed}",
        "${nowhere}",
        "${hydra:job.num}",
        "${oc.env:HOME}",
        "${now:%Y}",
        "'",
        '"',
        "(",
        "\\",
        "ö",
        "猫",
        "a b",
        "\n",
        "\x1b[31m",
    ),
    *("9" * 40, "x" * 2000, "[" * 60, "~", "*", "?", "../x", "%s", "[/red]", "\udcff", "\x00"),
]
KEYS = sorted(
    {
        key
        for task in ("autoencoder", "activity", "cnn", "table")
        for key, _ in dotted(OmegaConf.to_container(compose_tree([f"task={task}"])))
    }
)
HYDRA = [
    "hydra.job.name",
    "hydra.sweeper.n_trials",
    "hydra.launcher.n_workers",
    "hydra.verbose",
    "hydra/launcher",
    "hydra/sweeper",
    "hydra.job.chdir",
]
choices = st.sampled_from([f"{group}={option}" for group, options in groups().items() for option in options])
pairs = st.builds(
    "{}{}={}".format,
    st.sampled_from(["", "", "", "+", "++", "~"]),
    st.sampled_from([*KEYS, *HYDRA, *groups()]),
    st.sampled_from(VALUES),
)
odd = st.one_of(pairs, pairs, st.sampled_from([*FLAGS, *COMMANDS, *OPTIONS, *VALUES]), st.text(max_size=8))
plain = st.tuples(choices, st.none())
strange = st.tuples(st.one_of(choices, odd, odd), st.one_of(st.none(), st.none(), damages))
lines = st.builds(
    lambda a, b, c: [*a, *b, *c],
    st.lists(plain, max_size=2),
    st.lists(strange, max_size=2),
    st.lists(plain, max_size=1),
)


def typed(parts):
    """The words, some of them damaged, as the operating system would hand them over."""
    texts = [
        text if how is None else damaged(text.encode(errors="replace"), how).decode(errors="surrogateescape")
        for text, how in parts
    ]
    return [text.replace("\x00", "") for text in texts]  # no argument can hold it


def nothing_is_computed(patch):
    """A run, a sweep, a proof and a server that could begin have begun."""
    for module, name in ((job, "run"), (launch, "run_grid"), (search, "run_search")):
        patch.setattr(module, name, lambda *_, **__: 0)
    patch.setattr(gradcheck, "_network", _not_here)
    patch.setattr(gradcheck, "_layers", _not_here)
    patch.setattr(expected, "seconds_left", _not_here)  # it downloads what is not there
    patch.setattr(Commands, "codes", _not_here)
    patch.setattr(bench, "main", _not_here)
    patch.setattr(ui, "main", _not_here)


def _not_here(*_):
    raise UserError("it could begin")


def outcome(arguments):
    """The exit code of a command line, and what it said."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["duograd", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.exit_code(lambda: cli.dispatch(arguments))
    except SystemExit as end:
        code = end.code or 0
    finally:
        GlobalHydra.instance().clear()
        HydraConfig.instance().cfg = None
    return code, out.getvalue(), err.getvalue()


def fuzz(count, tmp_path, monkeypatch, record_property):
    nothing_is_computed(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["duograd"])
    monkeypatch.chdir(tmp_path)
    confinement, environ = Confinement(), dict(os.environ)
    tally = Tally()

    @cases(count)
    @given(lines)
    def case(parts):
        arguments = typed(parts)
        assume("--watch" not in arguments)
        started = time.process_time()
        with confinement.to(tmp_path):
            code, _, err = outcome(arguments)
        os.environ.clear()
        os.environ.update(environ)  # hydra.job.env_set may say anything
        os.chdir(tmp_path)
        assert code in CODES, (arguments, code, err)
        assert (code != 2 and not err) or len(err.splitlines()) == 1, (arguments, code, err)
        assert not confinement.escapes, (arguments, confinement.escapes)
        tally.add(code == 2, started, arguments)

    case()
    tally.report(record_property, "command lines", "begun or answered")


def test_a_command_line_begins_or_is_refused_in_a_line(tmp_path, monkeypatch, record_property):
    fuzz(FEW_LINES, tmp_path, monkeypatch, record_property)


@pytest.mark.slow
def test_many_command_lines_begin_or_are_refused_in_a_line(tmp_path, monkeypatch, record_property):
    fuzz(MANY, tmp_path, monkeypatch, record_property)
