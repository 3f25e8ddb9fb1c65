"""The difference of the co-registered pair, corrected and judged over stable terrain, block by block."""
