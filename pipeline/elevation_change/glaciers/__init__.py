"""The change of each glacier, of its elevation bands and of the region, with the error of each."""
