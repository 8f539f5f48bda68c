"""Near-duplicates by the SWE-ZERO card's definition: which rows are kept, and a file that says so.

The definition (the generator's `diversity.py`): a rollout is the text of its commands, joined by newlines; its shingles
are the character 5-grams of that text; 128 hashes give a MinHash signature; two rollouts are as similar as the share of
equal slots says; in the order of the rows, one that is at least 0.5 similar to an earlier kept one is left out.

`reference.kept` is that definition word for word, quadratic in rows. `near.kept` gives the same answer, linear in rows.
"""
