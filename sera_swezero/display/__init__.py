"""How figures are shown to people: numbers as text, tables as Markdown and on a terminal, progress bars.

formatting.py   numbers and sizes as text
table.py        one table type for cards, pages and terminals
progress.py     one kind of progress bar
"""
