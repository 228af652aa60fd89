"""The batch systems whose queues can start workers, as dask-jobqueue knows them. Nothing heavy here."""

from typing import NamedTuple


class System(NamedTuple):
    """cluster: its class in dask_jobqueue; submit: the command that takes a job; account: what the class calls it."""

    cluster: str
    submit: str
    account: str


SYSTEMS = {
    "slurm": System("SLURMCluster", "sbatch", "account"),
    "pbs": System("PBSCluster", "qsub", "account"),
    "sge": System("SGECluster", "qsub", "project"),
}
