"""The pages that people read: of the archive, of a collection, of an item."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.pages.downloads import readable_size
    from catalog.pages.drawings import extent_map, shapes_of_result
    from catalog.pages.facts import Card
    from catalog.pages.plots import plots_of_result
    from catalog.pages.run_report import (
        ReportPicture,
        ReportSetting,
        ReportStep,
        ReportTable,
        RunReport,
        write_run_report,
    )
    from catalog.pages.search import parse_search_script
    from catalog.pages.write import site_files, write_collection_pages, write_front_page, write_readme

__all__ = [
    "Card",
    "ReportPicture",
    "ReportSetting",
    "ReportStep",
    "ReportTable",
    "RunReport",
    "extent_map",
    "parse_search_script",
    "plots_of_result",
    "readable_size",
    "shapes_of_result",
    "site_files",
    "write_collection_pages",
    "write_front_page",
    "write_readme",
    "write_run_report",
]
__getattr__ = lazy_names(
    __name__,
    {
        "downloads": ("readable_size",),
        "drawings": ("extent_map", "shapes_of_result"),
        "facts": ("Card",),
        "plots": ("plots_of_result",),
        "run_report": (
            "ReportPicture",
            "ReportSetting",
            "ReportStep",
            "ReportTable",
            "RunReport",
            "write_run_report",
        ),
        "search": ("parse_search_script",),
        "write": ("site_files", "write_collection_pages", "write_front_page", "write_readme"),
    },
)
