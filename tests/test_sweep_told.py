"""What is told of a sweep before anything starts: faults, the jobs, how long they will take."""

import pytest
from sweep_builders import refused_in_one_line, typing

GRID = ["model.hidden_size=3,4", "loss.lambda=0,1e-3"]
BOTH = "[loss.lambda,model.hidden_size]"


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    where = ["hydra.sweep.dir=sweep", "tracking=none", "data.count=200", "data.size=4", "dtype=float64"]
    with typing(monkeypatch, capsys, *where) as run:
        yield run


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.hiden_size=3,4"], "unknown key 'model.hiden_size': did you mean 'model.hidden_size'?"),
        (["model.hidden_size=3,0"], "job hidden_size=0: model.hidden_size=0: expected greater than or equal to 1"),
        (["optimizer=sgd,sgdd"], "job optimizer=sgdd: unknown optimizer 'sgdd': did you mean 'sgd'?"),
        (["seed=range(3,3)"], "seed=range(3,3) has no value: the grid is empty"),
        (["seed=range(1,3,0)"], "seed=range(1,3,0): a range needs a step that is not 0"),
        (["seed=interval(1,3)"], "seed=interval(1,3): a grid needs values one by one"),
        (
            ["seed=1,2,3", *GRID, "sweep.zip=[seed,loss.lambda]"],
            "sweep.zip needs as many values of each: seed has 3, loss",
        ),
        ([*GRID, "sweep.zip=[loss.lamda]"], "sweep.zip: 'loss.lamda' is not swept here: did you mean 'loss.lambda'?"),
        (
            [*GRID, f"sweep.zip=[{BOTH},{BOTH}]"],
            "sweep.zip: 'loss.lambda' stands there twice",
        ),
        ([*GRID, "hydra.sweeper.sets=[3]"], 'hydra.sweeper.sets: 3: expected - {model: "gru,lstm"}'),
        ([*GRID, "hydra.sweeper.sets={seed:3}"], "hydra.sweeper.sets: {'seed': 3}: expected - {model:"),
        ([*GRID, "hydra.sweeper.only=[seed]"], "hydra.sweeper.only: ['seed']: expected key: value"),
        ([*GRID, "sweep.zip=[loss.lambda]"], "sweep.zip: 'loss.lambda' has no partner; name the keys"),
        ([*GRID, "sweep.zip=[1]"], "sweep.zip=[1]: expected keys, such as"),
        (["seed=1,2", "sweep.seeds=3"], "sweep.seeds=3 and several values of seed: give one of them"),
        (["seed=1,2", "sweep.random=3"], "sweep.random=3: the grid has only 2 jobs"),
        (["seed=1,2", "sweep.random=0"], "sweep.random=0: expected greater than or equal to 1"),
        (["seed=1,2", "sweep.dryrun=true"], "unknown key 'sweep.dryrun': did you mean 'sweep.dry_run'?"),
        (["seed=1,2", "sweep.resume=true"], "sweep.resume=true: "),
        (["seed=1,2", "hydra.launcher.n_workers=0"], "hydra.launcher.n_workers=0: expected greater than or equal to 1"),
        (["seed=1,2", "hydra.launcher.scheduler=x"], "hydra.launcher.scheduler=x: expected tcp://HOST:PORT"),
        (
            ["seed=1,2", "hydra.launcher.scheduler=http://a:1"],
            "hydra.launcher.scheduler=http://a:1: expected tcp://HOST",
        ),
        (["seed=1,2", "hydra.launcher.scheduler=tls://a:1"], "hydra.launcher.scheduler=tls://a:1 needs certificates"),
        (
            ["seed=1,2", "hydra.launcher.scheduler=tcp://127.0.0.1:9", "hydra.launcher.timeout=1"],
            "hydra.launcher.scheduler=tcp://127.0.0.1:9 does not answer within 1 s",
        ),
    ],
)
def test_errors_are_one_line_before_anything_starts(overrides, message, tmp_path, typed):
    refused_in_one_line(typed("-m", *overrides), message, tmp_path)


def test_an_estimate_lists_the_jobs_and_starts_none(tmp_path, typed):
    code, out, err = typed("-m", *GRID, "epochs=10", "sweep.estimate=true")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["job", "hidden_size", "lambda", "state", "parameters", "expected"]
    assert lines[4].split()[:5] == ["3", "4", "0.001", "PENDING", str(2 * 4 * 16 + 4 + 16)]
    assert lines[5].startswith("4 jobs, 4 to run: about ")
    assert not list(tmp_path.iterdir())


def test_a_preset_of_a_sweep_needs_no_flag(typed):
    code, out, _ = typed("sweep=report_grid", "loss.lambda=0,1", "sweep.dry_run=true")
    assert code == 0
    assert [line.split()[1:3] for line in out.splitlines()[1:7]] == [[h, l] for h in ("10", "50", "100") for l in "01"]


def test_a_random_sweep_draws_from_the_grid(typed):
    draws = [
        typed("-m", "seed=range(50)", "sweep.random=5", f"sweep.seed={s}", "sweep.dry_run=true") for s in (1, 1, 2)
    ]
    seeds = [[line.split()[1] for line in out.splitlines()[1:6]] for _, out, _ in draws]
    assert seeds[0] == seeds[1] != seeds[2]
    assert len(set(seeds[0])) == 5
    assert "5 jobs, 5 to run" in draws[0][1]


def test_seeds_repeat_every_point_from_its_own_seed_on(typed):
    code, out, err = typed("-m", "loss.lambda=0,1", "seed=3", "sweep.seeds=2", "sweep.dry_run=true")
    assert (code, err) == (0, "")
    assert [line.split()[1:3] for line in out.splitlines()[1:5]] == [["0", "3"], ["0", "4"], ["1", "3"], ["1", "4"]]
    assert "2 jobs, 2 to run" in typed("-m", "sweep.seeds=2", "sweep.dry_run=true")[1]
    assert typed("sweep.seeds=2")[0] == 2


def swept_values(out):
    return [line.split()[1:-2] for line in out.splitlines()[1:] if line.split()[-2:-1] == ["PENDING"]]


def test_values_are_paired_where_that_is_asked_for(typed):
    code, out, _ = typed("-m", *GRID, "seed=1,2", "sweep.zip=[model.hidden_size,loss.lambda]", "sweep.dry_run=true")
    assert code == 0
    assert swept_values(out) == [["3", "0", "1"], ["3", "0", "2"], ["4", "0.001", "1"], ["4", "0.001", "2"]]


UNION = """\
# @package _global_
hydra:
  mode: MULTIRUN
  sweeper:
    params: {optimizer: "adam,sgd"}
    sets:
      - {model.hidden_size: "3,4", optimizer.momentum: "0.0,0.9"}
      - {model.hidden_size: 5, loss.lambda: "0,1"}
    only: CONDITIONS
"""


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ("{optimizer.momentum: optimizer=sgd}", ""),
        ("{optimizer.momentum: optimizer=rmsprop}", "optimizer.momentum: optimizer=rmsprop never holds"),
        ("{optimizer.momentum: backend=torch}", "optimizer.momentum: no job sets backend"),
        ("{optimizer.beta: optimizer=adam}", "optimizer.beta: no job sets optimizer.beta"),
        ("{optimizer.momentum: sgd}", "optimizer.momentum: sgd: expected a condition such as model=lstm,gru"),
    ],
)
def test_a_sweep_may_be_a_union_of_grids_with_conditions(conditions, message, tmp_path, monkeypatch, typed):
    (tmp_path / "my" / "sweep").mkdir(parents=True)
    (tmp_path / "my" / "sweep" / "union.yaml").write_text(UNION.replace("CONDITIONS", conditions))
    code, out, err = typed("--config-dir", "my", "sweep=union", "sweep.dry_run=true")
    if message:
        assert (code, out) == (2, "")
        assert err.startswith(f"duograd: hydra.sweeper.only: {message}")
        return
    adam = [["adam", h, "–", "–"] for h in "34"] + [["adam", "5", "–", value] for value in "01"]
    sgd = [["sgd", h, momentum, "–"] for h in "34" for momentum in ("0.0", "0.9")] + [
        ["sgd", "5", "–", value] for value in "01"
    ]
    assert sorted(swept_values(out)) == sorted(adam + sgd), err


def test_what_only_a_sweep_can_do_is_refused_of_a_single_run(tmp_path, typed):
    refused = "duograd: sweep.dry_run=true needs a sweep: duograd -m …, with hydra/launcher=dask\n"
    assert typed("sweep.dry_run=true") == (2, "", refused)
    assert typed("hydra.launcher.stack=4") == (2, "", "duograd: hydra.launcher.stack=4 needs a sweep: duograd -m …\n")
    assert not list(tmp_path.iterdir())
