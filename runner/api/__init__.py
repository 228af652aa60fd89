"""duograd from Python: `import duograd`, whose __init__ names what is here and imports it when it is used.

start: run, sweep, search, compare. runs, several: what a folder holds, for people and programs. values: Python's values
as overrides. signals: Ctrl-C. sweep_process: sweeps, which have a process of their own. notebook: progress in Jupyter.
"""
