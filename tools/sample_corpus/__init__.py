"""The generator of the corpus that the package embeds in `sera_swezero/sample/corpus`."""
