"""What holds the balances to account: the chain run again on draws of its input, and a geodetic survey."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.proof.draws import monte_carlo, with_monte_carlo
    from pipeline.mass_balance.proof.geodetic_check import GeodeticSurvey, StatedBalance, survey_of_table, with_survey
    from pipeline.mass_balance.proof.geodetic_survey import with_surveys

__all__ = [
    "GeodeticSurvey",
    "StatedBalance",
    "monte_carlo",
    "survey_of_table",
    "with_monte_carlo",
    "with_survey",
    "with_surveys",
]
__getattr__ = lazy_names(
    __name__,
    {
        "draws": ("monte_carlo", "with_monte_carlo"),
        "geodetic_check": ("GeodeticSurvey", "StatedBalance", "survey_of_table", "with_survey"),
        "geodetic_survey": ("with_surveys",),
    },
)
