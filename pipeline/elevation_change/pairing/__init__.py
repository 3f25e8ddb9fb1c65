"""Two DEMs and the outlines brought onto one grid and one vertical datum, and the refusals of what is no pair."""
