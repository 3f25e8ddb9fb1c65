"""A row that the command line shows: quantity, value, note."""

Row = tuple[str, str, str]
NOTE = "Note"
# what a build shows of a collection; of several pairs of DEMs the years stand in front of the name
_HEADLINES = ("Mean elevation change", "Volume change", "Off-glacier NMAD", "Cumulative")


def is_headline(name: str) -> bool:
    """Whether a row is shown of a collection where there is room for few: its key numbers and its quality gates."""
    return name.startswith("Gate: ") or name.endswith(_HEADLINES)
