"""How results reach people: numbers as text, tables as Markdown and on a terminal, progress bars, whole files.

formatting.py   numbers and sizes as text
table.py        one table type for cards, pages and terminals
progress.py     one kind of progress bar
outputs.py      files and folders that are written: checked first, written whole, named when they fail
"""
