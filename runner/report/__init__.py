"""From run folders to a report: what differed, what came out, which was best, in a table and pictures.

Only readers: nothing in here writes to a run's folder, and a torn, failed or running run is shown as what it is.
"""
