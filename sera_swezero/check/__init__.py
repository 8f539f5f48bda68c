"""Validate rows in files, whoever wrote them. Every problem has its file, row and JSON path, and what was expected.

contracts.py   what a row of each kind must be, and how to find out which kind a file holds
row_paths.py   files below folders and behind URLs
row_files.py   reads JSONL and Parquet as streams
paths.py       takes files and folders, returns problems
"""

from sera_swezero.check.contracts import Contract, contracts
from sera_swezero.check.paths import CheckTally, Problem, check_paths

__all__ = ["CheckTally", "Contract", "Problem", "check_paths", "contracts"]
