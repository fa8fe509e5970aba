"""Databases with few and with many jobs, and what is asked of both: the parts of ``benchmark.rows``."""
