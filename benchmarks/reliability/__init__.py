"""Random faults, kills and damage, and what comes of them: `python -m benchmarks.reliability PART --seed N --rounds N`.

rounds.py         what a part is; plays its rounds and counts what came of them
page.py           the row of a part in docs/reliability.md
network.py        streams under random network faults
stream_kills.py   streams that are killed and go on
parquet.py        Parquet files with damaged bytes
builds.py         builds that are killed at random moments
pushes.py         two and three pushes at once, with faults and kills

A new part is a module that ends in `PART = Part(...)`, its line in `__main__.py`, and its row in the page.
"""
