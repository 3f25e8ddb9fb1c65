"""The shift that brings one DEM onto the other, from aspect, slope and elevation difference over stable terrain."""
