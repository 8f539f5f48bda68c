"""A built directory to the hub, so that readers see the old version or the new one, and never half.

token.py        the token, or how to get one
repository.py   the hub's calls that a push makes, each with what to look at after a lost answer
difference.py   what differs between the directory and the repo
readback.py     is what arrived what was sent: files, footers, rows
publish.py      plan, pull request, read back, merge, tag
verify.py       a published set, checked from outside
"""
