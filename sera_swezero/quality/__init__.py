"""What is in the rows: figures, the cards' tables, plots, and a page to look at. One pass, bounded memory.

rows.py     a config or a folder -> rows          looked.py   row -> what is counted of it
tally.py    counts, which add up                  spread.py   least, most, mean, quantiles
collect.py  one pass over all rows                samples.py  rows to look at
tables.py   the cards' tables                     plots.py    charts, as SVG and PNG
page.py     the HTML page
"""

from sera_swezero.quality.collect import NOT_IN_THE_DATA, Statistics, collect
from sera_swezero.quality.row_source import open_rows
from sera_swezero.quality.tally import Tally

__all__ = ["NOT_IN_THE_DATA", "Statistics", "Tally", "collect", "open_rows"]
