"""The call core: launches and bills calls; knows no channel and no web framework."""
