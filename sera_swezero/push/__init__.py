"""A built directory to the hub, so that readers see the old version or the new one, and never half.

retry.py      which errors pass, how long to wait, look before sending again; time limits on every request
token.py      the token, or how to get one
remote.py     the hub's calls that a push makes, each with what to look at after a lost answer
plan.py       what differs between the directory and the repo
readback.py   is what arrived what was sent: files, footers, rows
run.py        plan, pull request, read back, merge, tag
verify.py     a published set, checked from outside
"""
