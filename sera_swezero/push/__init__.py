"""A built directory to the hub, so that readers see the old version or the new one, and never half.

token.py              the token, or how to get one
repository_reader.py  the calls that read a repo on the hub
repository.py         those that change it, each with what to look at after a lost answer
footers.py            are the files of the directory what a build writes
refusals.py           what is not published
difference.py         what differs between the directory and the repo
readback.py           is what arrived what was sent: files, footers, rows
publish.py            plan, pull request, read back, merge, tag
push_result.py        what a push did
failure.py            what a push says of an error
verify.py             a published set, checked as its readers get it
"""
