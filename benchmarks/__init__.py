"""What is timed, and against whom: `python -m benchmarks.NAME`, each in well under a minute."""
