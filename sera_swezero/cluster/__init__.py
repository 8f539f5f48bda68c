"""Builds on more than one machine: the units of a build as tasks of an engine (datatrove), by default one per shard.

tasks.py           what each task has to do, as small files beside the build's state
worker.py          a task: its units, in a fresh process, without any engine
step.py            the engine's step: run a worker and notice how it ended
executors.py       the engine's executors and their settings; the only module that imports the engine
cluster_build.py   plan, run what is missing, check what there is, write manifest and card
sketches.py        statistics and signatures of single shards, and their sums
estimate.py        what a build will take, from a sample of its shards, and whether the hub will hold it
"""
