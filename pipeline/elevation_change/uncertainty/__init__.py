"""The error of the difference: by terrain, in space, of means over areas, and of the shift."""
