"""Many runs from one command, on Dask: planned and checked before the first begins, watched from their folders.

plan, naming, composer: which jobs. record, folder, merge: sweep.json, and going on with it. cluster, checks, pool,
worker: where jobs run. execute, progress, table: the loop, and what a person sees of it. sweep: all of it in order.
"""
