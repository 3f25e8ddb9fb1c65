"""The glacier's surface: area by altitude, from DEM and outline or from a table, survey by survey."""
