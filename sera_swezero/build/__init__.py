"""Configs to a directory that can be published: Parquet shards, rejected rows, a manifest and a card.

figures.py    what the card tells of the rows, counted while they are built
held.py       a row group's values, until it is written
parquet.py    rows -> one Parquet file, always the same bytes
shard.py      the unit: a shard in, files and a manifest entry out
manifest.py   what was built from what, as typed JSON; manifests merge
card.py       manifest -> README.md
runner.py     several configs: plan the units, have them done, write manifest and card
workers.py    units in parallel processes, with progress, interrupt and rerun
worker.py     one such process: takes units until none is left
unions.py     configs that are globs over others
tables.py     the card's tables
"""
