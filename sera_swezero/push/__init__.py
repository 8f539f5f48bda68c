"""A built directory to the hub, so that readers see the old version or the new one, and never half.

repository_reader.py  the calls that read a repo on the hub
repository.py         the calls that change it, each with what to look at after a lost answer
footers.py            whether files are what a build writes
refusals.py           what is refused before anything is sent
difference.py         what differs between the directory and the repo
readback.py           whether what arrived is what was sent: files, footers, rows
publish.py            plan, pull request, read back, merge, tag
push_result.py        how a push ended: what it did, or why it failed
verify.py             a published set, checked as its readers get it
"""
