"""The pictures of the products: maps, diagrams, thumbnails, and the words and colours in them."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.figures.balance_maps import PIXELS_OF_A_SCALE, balance_limit, draw_balance_series
    from catalog.figures.balance_picture import ShadedGround, draw_balance, ground_of
    from catalog.figures.change_picture import ChangePicture, change_limit, outlined_pixels, sigma_limit
    from catalog.figures.colours import CLASS_COLOURS, INK, amount_colours, change_colours, symmetric_limit
    from catalog.figures.elevation_change import diagrams_of, draw_change_map, draw_change_thumbnail
    from catalog.figures.mass_balance import draw_balance_profiles, draw_methods, draw_stake_history
    from catalog.figures.words import Words, words_of
    from catalog.figures.years import YearFiles, draw_years, mapped_years

__all__ = [
    "CLASS_COLOURS",
    "INK",
    "PIXELS_OF_A_SCALE",
    "ChangePicture",
    "ShadedGround",
    "Words",
    "YearFiles",
    "amount_colours",
    "balance_limit",
    "change_colours",
    "change_limit",
    "diagrams_of",
    "draw_balance",
    "draw_balance_profiles",
    "draw_balance_series",
    "draw_change_map",
    "draw_change_thumbnail",
    "draw_methods",
    "draw_stake_history",
    "draw_years",
    "ground_of",
    "mapped_years",
    "outlined_pixels",
    "sigma_limit",
    "symmetric_limit",
    "words_of",
]
__getattr__ = lazy_names(
    __name__,
    {
        "balance_maps": ("PIXELS_OF_A_SCALE", "balance_limit", "draw_balance_series"),
        "balance_picture": ("ShadedGround", "draw_balance", "ground_of"),
        "change_picture": ("ChangePicture", "change_limit", "outlined_pixels", "sigma_limit"),
        "colours": ("CLASS_COLOURS", "INK", "amount_colours", "change_colours", "symmetric_limit"),
        "elevation_change": ("diagrams_of", "draw_change_map", "draw_change_thumbnail"),
        "mass_balance": ("draw_balance_profiles", "draw_methods", "draw_stake_history"),
        "words": ("Words", "words_of"),
        "years": ("YearFiles", "draw_years", "mapped_years"),
    },
)
