"""Many runs from one command, on Dask: a grid, or a search by Optuna. One engine, two sources of jobs.

launch: from Hydra's plugins, and `duograd resume`. options: sweep.*, hydra.launcher.*, hydra.sweeper.*.
plan, naming, records: which jobs, what each is called, and which are known already. preview: before anything starts.
sweep: the life of a sweep (plan, start, run, finish). source: what it asks for jobs, and a grid, the simplest answer.
execution: jobs on their way. cluster, checks, pool, worker: where they run. progress, standing, columns, table: what a
person sees. mirror: MLflow, which follows. search, space, trials, study: trials as jobs; study alone imports Optuna.
"""
