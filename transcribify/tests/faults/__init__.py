"""Faults, not mocks: real processes are killed, stopped and cut off, and afterwards the books must be right.

``./run test`` runs these tests at a size that a laptop bears; ``./run faults`` at the size that the promises name.
"""
