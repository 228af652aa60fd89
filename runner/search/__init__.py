"""A search: a sweep whose jobs Optuna thinks of, one after the other, from what those before them reached.

options, space: what is asked for. study: Optuna, in the parent alone. source, watch: jobs out of trials, and what is
read of them. record: search.json. search, launch: all of it in order, from Hydra and on resuming.
"""
