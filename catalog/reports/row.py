"""A row that the command line shows: quantity, value, note."""

Row = tuple[str, str, str]
