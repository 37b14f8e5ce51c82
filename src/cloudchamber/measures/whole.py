"""Runs of which every decision is on the trace: for measures that have to know what all did, and when.

Of a trace kept at the level sampled no run is; what such a measure says of it is that it is not known.
"""

__all__ = ["WHOLE"]

WHOLE = """(
    SELECT run FROM decisions GROUP BY run HAVING count(*) FILTER (pick <= 1) = max(decision) + 1)"""
"""As SQL, a table of runs: decisions are numbered from 0, whether they are kept or not."""
