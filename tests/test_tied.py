"""A process that was started tied does not outlive the one who started it."""

import subprocess
import sys

from patience import wait_until
from sweep_builders import left_behind, started

from duograd.runner import tied

STARTER = f"""
import subprocess, sys, time
from duograd.runner import tied
with tied.pipe() as stdin:
    subprocess.run([sys.executable, "-m", "{tied.NAME}", "endless"], stdin=stdin)
"""


def test_a_tied_process_ends_when_its_starter_is_killed(tmp_path):
    (tmp_path / "endless.py").write_text("import sys, time\nopen(sys.argv[0] + '.on', 'w').close()\ntime.sleep(1e6)\n")
    starter = started([sys.executable, "-c", STARTER], tmp_path)
    wait_until((tmp_path / "endless.py.on").exists)
    starter.kill()
    starter.communicate()
    wait_until(lambda: not left_behind(starter.pid))


def test_a_tied_process_has_its_own_arguments_and_exit_code_and_reads_nothing(tmp_path):
    (tmp_path / "short.py").write_text("import sys\nprint(sys.argv[1:], sys.stdin.read())\nsys.exit(7)\n")
    with tied.pipe() as stdin:
        command = [sys.executable, "-m", tied.NAME, "short", "a", "--b"]
        done = subprocess.run(command, stdin=stdin, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (7, "['a', '--b'] \n", "")
