"""What is in the rows: figures, the cards' tables, plots, near-duplicates. One pass, bounded memory.

row_source.py          a config or a folder -> rows
row_summary.py         one row -> what is counted of it
tally.py               counts, which add up
spread.py              how a number is distributed over rows
collect.py             one pass over all rows
samples.py             rows to look at
statistics_tables.py   the cards' tables
plots.py               charts, as SVG and PNG
page.py                the HTML page
minhash.py             signatures of rows
near_duplicates.py     the signatures of a whole corpus -> rows that stay
write_kept_rows.py     a file of the rows that stay
sketches.py            tallies and signatures of single files, and their sums
"""

from sera_swezero.quality.collect import NOT_IN_THE_DATA, Statistics, collect
from sera_swezero.quality.row_source import open_rows
from sera_swezero.quality.tally import Tally

__all__ = ["NOT_IN_THE_DATA", "Statistics", "Tally", "collect", "open_rows"]
