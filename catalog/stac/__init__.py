"""The static STAC 1.1.0 catalogue, derived from the files as they were written, in English and Chinese."""
