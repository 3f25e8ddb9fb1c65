"""Elevation models as they come: rasters, tiles, mosaics, what is in them, and reading them warped onto a grid."""
