"""Configs become a directory that can be published: Parquet shards, rejected rows, a manifest and a card.

jobs.py             configs -> jobs and their units
runner.py           several configs: their units are built, then manifest and card are written
worker_pool.py      units in parallel processes, with progress, interrupt and rerun
worker_process.py   one such process: takes units until none is left, those that share a reading together
build_shard.py      what is done per unit: shards of upstream in, files and an entry out
environment.py      what a process needs to have set before it imports Arrow
collector.py        how often the garbage collector runs while rows are made
folder.py           the folder that is built into
unit_files.py       the unit, its entry, its files on disk
parquet_writer.py   rows -> one Parquet file, always the same bytes
figures.py          what the card says about the rows, counted while they are built
manifest.py         what was built from what, as typed JSON; manifests merge
card.py             manifest -> README.md
card_facts.py       what the card says about your own runs: licence, name, model, description
card_tables.py      the card's tables
secret_scan.py      keys and tokens in rows: found, and replaced
unions.py           configs that are globs over others
estimate.py         what a build will take, from a sample of its shards, and whether the hub will accept it
measure.py          what one unit takes
"""
