"""`python -m sera_swezero` is `sera-swezero`."""

from sera_swezero.cli import main

main()
