"""A result becomes an item: rasters, vectors, figures and styles written, and what STAC says of them."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.items.balance_products import (
        COLLECTION_FIGURES,
        draw_balance_figures,
        side_by_side,
        write_year_products,
        year_files,
    )
    from catalog.items.change_products import (
        draw_change_figures,
        write_change_products,
        write_change_rasters,
        write_change_vectors,
    )
    from catalog.items.elevation_change import write_elevation_change
    from catalog.items.mass_balance import write_mass_balance
    from catalog.items.processing_steps import elevation_change_steps, mass_balance_steps
    from catalog.items.qgis import STYLE_ROLE, SUFFIX
    from catalog.items.stated import Labels, acquisitions, gate_records, periods_of

__all__ = [
    "COLLECTION_FIGURES",
    "STYLE_ROLE",
    "SUFFIX",
    "Labels",
    "acquisitions",
    "draw_balance_figures",
    "draw_change_figures",
    "elevation_change_steps",
    "gate_records",
    "mass_balance_steps",
    "periods_of",
    "side_by_side",
    "write_change_products",
    "write_change_rasters",
    "write_change_vectors",
    "write_elevation_change",
    "write_mass_balance",
    "write_year_products",
    "year_files",
]
__getattr__ = lazy_names(
    __name__,
    {
        "balance_products": (
            "COLLECTION_FIGURES",
            "draw_balance_figures",
            "side_by_side",
            "write_year_products",
            "year_files",
        ),
        "change_products": (
            "draw_change_figures",
            "write_change_products",
            "write_change_rasters",
            "write_change_vectors",
        ),
        "elevation_change": ("write_elevation_change",),
        "mass_balance": ("write_mass_balance",),
        "processing_steps": ("elevation_change_steps", "mass_balance_steps"),
        "qgis": ("STYLE_ROLE", "SUFFIX"),
        "stated": ("Labels", "acquisitions", "gate_records", "periods_of"),
    },
)
