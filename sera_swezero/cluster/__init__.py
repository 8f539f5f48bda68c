"""Past one machine: the units of a build as tasks of an engine (datatrove), one shard a task if not told otherwise.

tasks.py      what each task has to do, as small files beside the build's state
worker.py     a task: its units, in a fresh process, without any engine
step.py       the engine's step: run a worker and notice how it ended
executors.py  the engine's executors and their settings from a file; the only module that imports the engine
run.py        plan, run what is missing, look what is there, write manifest and card
sketches.py   statistics and signatures of single shards, and their sums
limits.py     what the hub holds of a repo
estimate.py   what a build will take, from a sample of its shards
measure.py    what one shard takes
"""
