"""Files of runs, one each, as SWE-agent and mini-swe-agent write them."""
