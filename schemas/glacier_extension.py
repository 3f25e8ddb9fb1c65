"""The archive's own STAC fields, prefix ``glacier:``; each is stated once and the JSON Schema is generated here."""

from __future__ import annotations

from typing import Any

PREFIX = "glacier:"
SCHEMA_PATH = "schemas/glacier/v1.0.0/schema.json"  # below the archive's root, where it is published

_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
_SIGMA: dict[str, Any] = {"type": ["number", "null"], "minimum": 0}
_SHARE: dict[str, Any] = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_TEXT: dict[str, Any] = {"type": "string"}
_DIRECTIONS = ("east", "north", "up")
_DAY: dict[str, Any] = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def _record(meaning: str, properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "description": meaning,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _said(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, **schema}


_STATISTICS = _record(
    "statistics of the elevation difference (m) over stable terrain",
    {
        "count": _COUNT,
        "mean_m": _NUMBER,
        "mean_absolute_m": _SIGMA,
        "median_m": _NUMBER,
        "std_m": _SIGMA,
        "nmad_m": _SIGMA,
        "rmse_m": _SIGMA,
        "le90_m": _SIGMA,
    },
)

_CHANGES = _record(
    "what a version changed, in words: records, tables and files, descriptions",
    {name: {"type": "array", "items": _TEXT} for name in ("data", "structure", "metadata")},
)

_GATE = _record(
    "a quality gate: what was found, what is allowed, and the verdict",
    {
        "name": _TEXT,
        "subject": _TEXT,
        "value": _NUMBER,
        "limit": {"type": "number"},
        "unit": _TEXT,
        "passed": {"type": "boolean"},
    },
)

_PATCHES: dict[str, Any] = {
    "count": _COUNT,
    "area_km2": _SIGMA,
    "mean": _NUMBER,
    "spread": _SIGMA,
    "robust_spread": _SIGMA,
    "enough": {"type": "boolean"},
}

FIELDS: dict[str, dict[str, Any]] = {
    "glacier:kind": _said("what the product is", {"enum": ["elevation_change", "mass_balance"]}),
    "glacier:synthetic": _said("whether it comes from a synthetic sample, not from observations", {"type": "boolean"}),
    "glacier:gates": _said("quality gates", {"type": "array", "items": _GATE}),
    "glacier:inputs": _said(
        "the raw inputs that it was computed from",
        {
            "type": "array",
            "items": _record(
                "an input file: the source it belongs to, its name, size (bytes) and sha256 (hex)",
                {
                    "source": _TEXT,
                    "name": _TEXT,
                    "size": _COUNT,
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
            ),
        },
    ),
    "glacier:previous_versions": _said(
        "versions published before this one, the oldest first",
        {
            "type": "array",
            "items": _record(
                "an earlier version: where it is found, and what it changed from the one before it",
                {
                    "version": _TEXT,
                    "published": _DAY,
                    "address": {"type": "string", "format": "uri"},
                    "changes": _CHANGES,
                },
                optional=("changes",),
            ),
        },
    ),
    "glacier:settings": _said("settings of the run, by name", {"type": "object"}),
    "glacier:shift_m": _record(
        "what was added to the position of the aligned DEM to bring it onto the reference (m)",
        {direction: {"type": "number"} for direction in _DIRECTIONS},
    ),
    "glacier:sigma_shift_m": _record("one standard deviation of that shift (m)", dict.fromkeys(_DIRECTIONS, _SIGMA)),
    "glacier:shift_by_cosine_m": _record(
        "the same shift by the cosine relation of aspect and elevation difference alone, as a cross-check (m)",
        dict.fromkeys(_DIRECTIONS, _NUMBER),
    ),
    "glacier:shift_native_pixels": _record(
        "its horizontal part in pixels of the aligned DEM's own grid: columns to the east, rows to the south",
        {"columns": _NUMBER, "rows": _NUMBER},
    ),
    "glacier:tilt": _record(
        "residual tilt of the elevation difference over stable terrain (m per m)",
        {"east": _NUMBER, "north": _NUMBER, "removed": {"type": "boolean"}},
    ),
    "glacier:elevation_scale": _record(
        "share of the elevation in the elevation difference over stable terrain (m per m)",
        {
            "per_metre": _NUMBER,
            "sigma_per_metre": _SIGMA,
            "stands_out": {"type": "boolean"},
            "explains": _SIGMA,
            "removed": {"type": "boolean"},
        },
    ),
    "glacier:undulation": _record(
        "waves that stand out of the elevation difference over stable terrain, the largest first",
        {
            "waves": {
                "type": "array",
                "items": _record(
                    "one wave: amplitude, wavelength (m) and the direction in which it goes up and down",
                    {
                        "amplitude_m": _SIGMA,
                        "sigma_amplitude_m": _SIGMA,
                        "wavelength_m": _SIGMA,
                        "sigma_wavelength_m": _SIGMA,
                        "azimuth_deg": _SIGMA,
                    },
                ),
            },
            "explains": _SIGMA,
            "removed": {"type": "boolean"},
        },
    ),
    "glacier:stable_terrain": _record(
        "relative accuracy over stable terrain, on the same pixels before and after each step",
        {"before": _STATISTICS, "after_coregistration": _STATISTICS, "after": _STATISTICS},
    ),
    "glacier:curvature_correction": _record(
        "correction of the resolution effect by maximum curvature",
        {"applied": {"type": "boolean"}, "source": _TEXT, "nmad_before_m": _SIGMA, "nmad_after_m": _SIGMA},
    ),
    "glacier:resolution_correction": _record(
        "what was done about the different detail that the DEMs resolve, and what each form of it takes off",
        {
            "asked": _TEXT,
            "method": _TEXT,
            "reason": {"type": ["string", "null"]},
            "detail_kept": _NUMBER,
            "coefficient": _NUMBER,
            "point_spread_sigma_m": _NUMBER,
            "taken_off": _record("means, m", {"stable_m": _NUMBER, "glaciers_m": _NUMBER}),
            "by_method": {"type": "object", "description": "the same by form, and the NMAD that each leaves, m"},
        },
    ),
    "glacier:vertical_datum": _record(
        "what became of the difference between the vertical datums",
        {"earlier": _TEXT, "later": _TEXT, "method": _TEXT, "note": _TEXT},
    ),
    "glacier:patch_test": _record(
        "means over stable patches of a glacier's size, standardised by the stated uncertainty: it holds if they spread"
        " by 1; fewer than 200 patches are not enough to tell",
        _PATCHES,
    ),
    "glacier:patch_test_on_smooth_ground": _record(
        "the same test with the smoothest fifth of stable terrain alone, which resembles glaciers",
        _PATCHES,
    ),
    "glacier:pair": _said(
        "years of the two DEMs that were differenced, where the collection has several pairs",
        {"type": "string", "pattern": r"^\d{4}-\d{4}$"},
    ),
    "glacier:notes": _said("what was noticed of the inputs and handled", {"type": "array", "items": _TEXT}),
    "glacier:totals": _record(
        "all glaciers together",
        {
            "count": _COUNT,
            "area_km2": _SIGMA,
            "mean_dh_m": _NUMBER,
            "sigma_mean_dh_m": _SIGMA,
            "mean_dhdt_m_a": _NUMBER,
            "sigma_mean_dhdt_m_a": _SIGMA,
            "volume_change_m3": _NUMBER,
            "sigma_volume_change_m3": _SIGMA,
            "mass_change_kg": _NUMBER,
            "sigma_mass_change_kg": _SIGMA,
            "observed_share": _SHARE,
        },
    ),
    "glacier:mean_dh_m": _said(
        "mean elevation change of all glaciers together (m): glacier:totals.mean_dh_m, for search", _NUMBER
    ),
    "glacier:sigma_mean_dh_m": _said("one standard deviation of that mean (m)", _SIGMA),
    "glacier:claimed_period": _record("the period that the description claims", {"start": _DAY, "end": _DAY}),
    "glacier:rate_period": _record(
        "the days of the two DEMs between which the rate counts: the change divided by them is the rate",
        {"start": _DAY, "end": _DAY},
    ),
    "glacier:acquisitions": _said(
        "first and last day of acquisition of each source, by its key",
        {
            "type": "array",
            "items": _record("days of a source", {"source": _TEXT, "start": _DAY, "end": _DAY}),
        },
    ),
    "glacier:supported_period": _record(
        "the period that the sources support, where it differs from the one the description claims",
        {"start": _DAY, "end": _DAY, "note": _TEXT},
    ),
    "glacier:glacier_id": _said("identifier of the glacier in its inventory", _TEXT),
    "glacier:glacier_name": _said("name of the glacier", _TEXT),
    "glacier:year": _said("mass-balance year, named after the calendar year in which it ends", {"type": "integer"}),
    "glacier:time_system": _said("time system of the year", {"enum": ["FLO", "FXD", "STR", "COM", "OTH", ""]}),
    "glacier:balance": _record(
        "glacier-wide balances and their standard deviations (m w.e.)",
        {
            "annual_m_we": _NUMBER,
            "sigma_annual_m_we": _SIGMA,
            "winter_m_we": _NUMBER,
            "sigma_winter_m_we": _SIGMA,
            "summer_m_we": _NUMBER,
            "sigma_summer_m_we": _SIGMA,
        },
    ),
    "glacier:by_method": _said(
        "annual balance (m w.e.) by each method", {"type": "object", "additionalProperties": _NUMBER}
    ),
    "glacier:budget": _said(
        "error budget of the annual balance by source (one standard deviation, m w.e.)",
        {"type": "object", "additionalProperties": _SIGMA},
    ),
    "glacier:ela": _record(
        "equilibrium-line altitude and its standard deviation (m); '<' lies below the glacier, '>' above it",
        {"altitude_m": _NUMBER, "sigma_m": _SIGMA, "position": {"enum": ["<", "=", ">", None]}},
    ),
    "glacier:annual_m_we": _said("annual balance (m w.e.): glacier:balance.annual_m_we, for search", _NUMBER),
    "glacier:sigma_annual_m_we": _said("one standard deviation of the annual balance (m w.e.)", _SIGMA),
    "glacier:ela_m": _said(
        "equilibrium-line altitude (m): glacier:ela.altitude_m, for search; a bound where glacier:ela_position is not"
        " '='",
        _NUMBER,
    ),
    "glacier:sigma_ela_m": _said("one standard deviation of the equilibrium-line altitude (m)", _SIGMA),
    "glacier:ela_position": _said(
        "'<' where the equilibrium line lies below the glacier, '>' above it", {"enum": ["<", "=", ">", None]}
    ),
    "glacier:aar": _said("accumulation-area ratio", _SHARE),
    "glacier:sigma_aar": _said("one standard deviation of the accumulation-area ratio", _SHARE),
    "glacier:area_km2": _said("glacier area (km2)", _SIGMA),
    "glacier:provenance": _said("where the values come from", {"enum": ["observed", "reconstructed", "mixed"]}),
    "glacier:flags": _said("quality flags", {"type": "array", "items": _TEXT}),
    "glacier:origin": _said(
        "for each field that the source leaves empty and the archive fills: the basis of the value",
        {"type": "object", "additionalProperties": _TEXT},
    ),
    "glacier:project": _record("the project that paid for the dataset", {"number": _TEXT, "name": _TEXT}),
    "glacier:ncdc": _said(
        "fields of the data centre's portal record, by its names; empty ones and the citation are left out",
        {"type": "object", "propertyNames": {"pattern": "^ds_"}, "minProperties": 1},
    ),
    "glacier:altitude_m": _record("altitude range (m)", {"low": {"type": "number"}, "high": {"type": "number"}}),
}

# the fields that simple filters and tables find: each states a value of a record of the same item
SEARCHED = {
    "glacier:annual_m_we": ("glacier:balance", "annual_m_we"),
    "glacier:sigma_annual_m_we": ("glacier:balance", "sigma_annual_m_we"),
    "glacier:ela_m": ("glacier:ela", "altitude_m"),
    "glacier:sigma_ela_m": ("glacier:ela", "sigma_m"),
    "glacier:ela_position": ("glacier:ela", "position"),
    "glacier:mean_dh_m": ("glacier:totals", "mean_dh_m"),
    "glacier:sigma_mean_dh_m": ("glacier:totals", "sigma_mean_dh_m"),
}
# of another extension, which an archive does not declare (docs/decisions/011-catalogue-layout.md): held against this
_CLASS: dict[str, Any] = {
    "type": "object",
    "required": ["value", "name"],
    "properties": {
        "value": {"type": "integer"},
        "name": {"type": "string", "pattern": "^[0-9A-Za-z_-]+$"},
        "title": _TEXT,
        "description": _TEXT,
        "color_hint": {"type": "string", "pattern": "^[0-9A-Fa-f]{6}$"},
    },
}
_ASSETS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "properties": {
            "classification:classes": {
                "description": "classes of a raster, as version 2.0.0 of the classification extension has them",
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": _CLASS,
            }
        }
    },
}
_REQUIRED = ["glacier:kind", "glacier:synthetic"]


def json_schema(schema_id: str | None = None) -> dict[str, Any]:
    """The JSON Schema (draft 7) of the fields in Items and Collections; ``schema_id`` is the URL it is served from."""
    fields = {
        "type": "object",
        "properties": FIELDS,
        "patternProperties": {f"^(?!{PREFIX})": {}},
        "additionalProperties": False,
    }
    schema: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Glacier fields",
        "description": "Fields of the glacier archive for STAC Items and Collections.",
        "oneOf": [
            {
                "type": "object",
                "required": ["type", "properties"],
                "properties": {
                    "type": {"const": "Feature"},
                    "properties": {"allOf": [{"required": _REQUIRED}, {"$ref": "#/definitions/fields"}]},
                    "assets": {"$ref": "#/definitions/assets"},
                },
            },
            {
                "allOf": [
                    {
                        "type": "object",
                        "required": ["type", *_REQUIRED],
                        "properties": {
                            "type": {"const": "Collection"},
                            "item_assets": {"$ref": "#/definitions/assets"},
                        },
                    },
                    {"$ref": "#/definitions/fields"},
                ]
            },
        ],
        "definitions": {"fields": fields, "assets": _ASSETS},
    }
    return {"$id": schema_id, **schema} if schema_id else schema
