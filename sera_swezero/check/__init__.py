"""Validate rows in files, ours or anybody's: every problem with file, row, JSON path, what is there and what should be.

contracts.py   what a row of each kind must be, and how to tell which kind a file holds
order.py       what no JSON Schema can say: the order of messages, the JSON inside a tool call
files.py       JSONL and Parquet, streamed
paths.py       files and folders in, problems out
"""

from sera_swezero.check.contracts import CONTRACTS, Contract
from sera_swezero.check.paths import CheckTally, Problem, check_paths

__all__ = ["CONTRACTS", "CheckTally", "Contract", "Problem", "check_paths"]
