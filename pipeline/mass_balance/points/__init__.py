"""Point balances from pairs of readings and from pits, paired into balance years and seasons."""
