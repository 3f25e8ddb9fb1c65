"""The accuracy checks of each DEM by itself: counts, spikes, seams between tiles."""
