"""Validate rows in files, whoever wrote them. Every problem has its file, row and JSON path, and what was expected.

contracts.py   what a row of each kind must be, and how to tell which kind a file holds
row_order.py   what a JSON Schema cannot say: the order of messages, the JSON inside a tool call
row_paths.py   files below folders and behind URLs
row_files.py   reads JSONL and Parquet as streams
paths.py       takes files and folders, returns problems
"""

from sera_swezero.check.contracts import CONTRACTS, Contract
from sera_swezero.check.paths import CheckTally, Problem, check_paths

__all__ = ["CONTRACTS", "CheckTally", "Contract", "Problem", "check_paths"]
