"""The admin of jobs: the list and its searches, one job's page, what staff may do to a job, the worker slots."""

from jobs.admin import job, owner, worker_slot

__all__ = ["job", "owner", "worker_slot"]
