"""python -m duograd: the same as duograd."""

from duograd.runner.cli import main

main()
