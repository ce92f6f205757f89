"""Many drills on many workers, by Dask distributed; `run.run_jobs` is its door."""
