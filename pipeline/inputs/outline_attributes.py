"""What glacier inventories call the identifier, the name and the date of an outline."""

from __future__ import annotations

# Randolph Glacier Inventory 7 and 6, first and second Chinese glacier inventories, GLIMS; upper or lower case
ID_NAMES = (
    "glacier_id", "rgi_id", "RGIId", "CGI_ID", "GLC_CODE", "GLIMS_ID", "GLIMSId", "glac_id", "FCGI_ID", "id",
)  # fmt: skip
NAME_NAMES = ("glacier_name", "glac_name", "Glc_Name", "GLC_NAME", "Name")
DATE_NAMES = ("src_date", "BgnDate", "Rep_Date", "GLC_DATE", "date")
