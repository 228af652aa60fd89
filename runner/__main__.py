"""python -m runner: the same as duograd."""

from runner.cli import main

main()
