"""Builds on more than one machine: the units of a build as tasks of an engine (datatrove), by default one per shard.

tasks.py      the tasks of a build: written, run, checked; then manifest and card
step.py       the engine: its executors with their settings, and the step that runs a worker
worker.py     a task: its units, in a fresh process, without any engine
"""
