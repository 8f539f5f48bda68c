"""Everything that speaks HTTP to the hub.

session.py        one HTTP session of our own, and what goes wrong with it in words
retry.py          which errors are worth another attempt, how often to try, how long to wait
background.py     calls in threads of their own, for a limited time if need be
hub_file.py       a file at a commit of a dataset repo, and which paths it may have
listing.py        revision -> commit -> files; remembered for offline use
cdn_addresses.py  file -> its signed address on the CDN
ranged_get.py     byte range of a file -> bytes, resumed where the connection broke

Reading goes through the session here. Writing (`push`) goes through the client's own API, under a time limit.
"""
