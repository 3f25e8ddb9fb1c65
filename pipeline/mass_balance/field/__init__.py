"""The balance between the points: kriging with a trend in elevation, or inverse distances."""
