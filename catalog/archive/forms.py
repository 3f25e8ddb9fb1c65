"""The form of the documents of an archive: what kind of value stands wherever one is read.

Whoever reads an archive that others made takes its documents through here: a text where a number belongs is then found
at once and named by its place, and an error further on is an error of the reader. What is absent is the reader's to
miss; what is not named here may be anything.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from types import GenericAlias
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # what pydantic takes with Python 3.11

from catalog.archive.layout import (
    CITATION_CFF,
    COLLECTION_JSON,
    CRATE_JSON,
    DATACITE_JSON,
    DATAPACKAGE_JSON,
    DATASET_JSONLD,
    ITEMS_JSON,
    MANIFEST_JSON,
    NCDC_JSON,
    NCDC_PORTAL_JSON,
    SEARCH_JS,
    STATEMENT_JSON,
)
from schemas.glacier_extension import SCHEMA_PATH

SCHEMAS = SCHEMA_PATH.split("/")[0]
_Number = float | None
_Text = str | None
_Anything = dict[str, Any]
_Cell = str | float | bool | None


class WrongForm(ValueError):
    """A document in which something else stands where a value of a certain kind is read."""


def _object(fields: dict[str, Any]) -> Any:
    """An object whose values under these names are of these kinds, where they are there."""
    return TypedDict("object", fields, total=False)  # type: ignore[operator]  # the names are no identifiers


def _each(kind: Any) -> Any:
    return GenericAlias(list, (kind,))


def _by_name(kind: Any) -> Any:
    return GenericAlias(dict, (str, kind))


_File = _object({"path": str, "size": int, "sha256": str})
_Input = _object({"source": str, "name": str, "size": int, "sha256": str})
_Dataset = _object(
    {
        "id": str,
        "version": str,
        "kind": str,
        "synthetic": bool,
        "settings": _Anything,
        "definition": _Anything,
        "inputs": _each(_Input),
    }
)
_Manifest = _object(
    {
        "files": _each(_File),
        "parts": _each(_File),
        "datasets": _each(_Dataset),
        "tools": _Anything,
        "code_version": str,
        "base_url": _Text,
        "addressed_from": _object({"sha256": str, "signatures": _each(_by_name(str))}),
    }
)
_Statement = _object({"subject": _each(_object({"name": str, "digest": _by_name(str)}))})

_Statistics = dict[str, float]
_Class = _object({"value": int, "name": str, "title": str, "color_hint": str})
_Band = _object(
    {
        "data_type": str,
        "nodata": float | str | None,
        "unit": _Text,
        "statistics": _Statistics,
        "classification:classes": _each(_Class),
    }
)
_Asset = _object(
    {
        "href": str,
        "type": str,
        "roles": list[str],
        "title": str,
        "bands": _each(_Band),
        "proj:code": _Text,
        "proj:shape": list[int],
        "proj:transform": list[float],
        "proj:bbox": list[float],
        "raster:spatial_resolution": float,
        "classification:classes": _each(_Class),
        "table:columns": _each(_object({"name": str, "type": str})),
        "nodata": float | str | None,
        "unit": _Text,
        "data_type": str,
        "statistics": _Statistics,
    }
)
_Render = _object({"assets": list[str], "rescale": list[list[float]]})
_Language = _object({"code": str})
_Gate = _object({"name": str, "subject": str, "passed": bool})
_Ela = _object({"altitude_m": _Number, "sigma_m": _Number})
_Totals = _object({"count": int, "area_km2": float, "volume_change_m3": float})
_Properties = _object(
    {
        "title": str,
        "start_datetime": str,
        "end_datetime": str,
        "datetime": _Text,
        "renders": _by_name(_Render),
        "language": _Language,
        "languages": _each(_Language),
        "glacier:pair": str,
        "glacier:rate_period": _by_name(_Text),
        "glacier:year": int,
        "glacier:annual_m_we": _Number,
        "glacier:ela_m": _Number,
        "glacier:mean_dh_m": _Number,
        "glacier:balance": _by_name(_Number),
        "glacier:by_method": _by_name(_Number),
        "glacier:ela": _Ela,
        "glacier:aar": _Number,
        "glacier:sigma_aar": _Number,
        "glacier:area_km2": _Number,
        "glacier:stable_terrain": _by_name(_by_name(_Number)),
        "glacier:totals": _Totals,
        "glacier:gates": _each(_Gate),
        "glacier:settings": _Anything,
        "glacier:inputs": _each(_Input),
        "processing:software": _Anything,
        "proj:code": _Text,
        "proj:shape": list[int],
        "proj:transform": list[float],
        "proj:bbox": list[float],
        "raster:spatial_resolution": float,
    }
)
_Link = _object({"rel": str, "href": str})
_Extent = _object(
    {"spatial": _object({"bbox": list[list[float]]}), "temporal": _object({"interval": _each(_each(_Text))})}
)
_Project = _object({"number": str, "name": str})
_Mail = _object({"value": str})
_Contact = _object({"name": str, "emails": _each(_Mail)})
_Portal = _object(
    {
        "id": str,
        "doi_value": str,
        "title_en": str,
        "title_cn": str,
        "version": str,
        "publish_time": str,
        "ds_acq_start_time": str,
        "ds_acq_end_time": str,
        "ds_acq_lon_west": float,
        "ds_acq_lat_south": float,
        "ds_acq_lon_east": float,
        "ds_acq_lat_north": float,
        "ds_topic_tags": list[str],
        "ds_subject_tags": list[str],
        "ds_locus_tags": list[str],
        "ds_time_tags": list[str],
        "ds_serv_man": str,
        "ds_serv_phone": str,
        "ds_serv_mail": str,
        "ds_projects": _each(_Project),
        "ds_ref_way": str,
        "lang": str,
        "source_description": _object({"citation": str}),
    }
)
_Stac = _object(
    {
        "type": str,
        "id": str,
        "bbox": list[float],
        "geometry": _Anything,
        "properties": _Properties,
        "assets": _by_name(_Asset),
        "item_assets": _by_name(_Anything),
        "links": _each(_Link),
        "extent": _Extent,
        "summaries": _by_name(list[Any] | _Anything),
        "renders": _by_name(_Render),
        "language": _Language,
        "languages": _each(_Language),
        "version": str,
        "title": str,
        "published": str,
        "license": str,
        "keywords": list[str],
        "sci:doi": str,
        "sci:citation": str,
        "glacier:gates": _each(_Gate),
        "glacier:project": _Project | None,
        "glacier:ncdc": _Portal,
        "contacts": _each(_Contact),
        "providers": _each(_Contact),
    }
)

_Feature = _object({"type": str, "geometry": _Anything, "properties": _by_name(_Cell)})
_Features = _object({"features": _each(_Feature)})

_Items = _object({"features": _each(_object({"id": str, "collection": str}))})

_Limits = _object({"minimum": float, "maximum": float, "enum": list[str], "pattern": str, "required": bool})
_Field = _object({"name": str, "type": str, "unit": str, "description": str, "constraints": _Limits})
_Reference = _object({"resource": str, "fields": list[str]})
_ForeignKey = _object({"fields": list[str], "reference": _Reference})
_Schema = _object({"fields": _each(_Field), "primaryKey": list[str], "foreignKeys": _each(_ForeignKey)})
_Resource = _object({"name": str, "path": str, "schema": _Schema})
_Grant = _object({"identifier": str, "name": str})
_Package = _object(
    {
        "name": str,
        "id": str,
        "title": str,
        "titleTranslated": str,
        "version": str,
        "created": str,
        "temporalCoverage": str,
        "keywords": list[str],
        "inLanguage": list[str],
        "citation": str,
        "resources": _each(_Resource),
        "funding": _each(_Grant),
        "contributors": _each(_object({"role": str, "title": str, "email": str})),
        "licenses": _each(_object({"name": str})),
        "spatialCoverage": _object({"bbox": list[float]}),
    }
)

_DataCite = _object(
    {
        "titles": _each(_object({"lang": str, "title": str})),
        "dates": _each(_object({"dateType": str, "date": str})),
        "fundingReferences": _each(_object({"awardNumber": str, "awardTitle": str})),
        "contributors": _each(_object({"name": str, "contributorType": str})),
        "alternateIdentifiers": _each(_object({"alternateIdentifier": str})),
        "geoLocations": _each(_object({"geoLocationBox": dict[str, float]})),
        "subjects": _each(_object({"subject": str, "lang": str})),
        "descriptions": _each(_object({"description": str, "descriptionType": str})),
        "rightsList": _each(_object({"rightsIdentifier": str})),
        "publisher": _object({"name": str}),
        "doi": str,
        "version": str,
        "language": str,
        "publicationYear": str,
    }
)

_Pointer = _object({"@id": str})
_Download = _object({"contentUrl": str, "contentSize": str, "sha256": str})
_ContactPoint = _object({"name": str, "telephone": str, "email": str})
_Box = _object({"box": str})
_SchemaOrg = _object(
    {
        "identifier": str | dict[str, str],
        "name": str,
        "alternateName": str,
        "version": str,
        "datePublished": str,
        "temporalCoverage": str,
        "keywords": list[str],
        "creditText": str,
        "inLanguage": list[str],
        "license": str,
        "funding": _Grant,
        "spatialCoverage": _object({"geo": _Box}),
        "distribution": _each(_Download),
        "publisher": _object({"name": str, "contactPoint": _each(_ContactPoint)}),
    }
)
_Entity = _object(
    {
        "@id": str,
        "@type": str | list[str],
        "name": str,
        "alternateName": str,
        "version": str,
        "datePublished": str,
        "temporalCoverage": str,
        "keywords": list[str] | str,
        "creditText": str,
        "inLanguage": list[str] | str,
        "identifier": str,
        "funding": _Pointer,
        "contentLocation": _Pointer,
        "license": _Pointer | str,
        "publisher": _Pointer,
        "geo": _Pointer,
        "box": str,
        "contentSize": str,
        "sha256": str,
        "telephone": str,
        "email": str,
        "hasPart": _each(_Pointer) | _Pointer,
    }
)
_Crate = _object({"@graph": _each(_Entity)})

_Citation = _object(
    {
        "title": str,
        "doi": str,
        "version": str,
        "date-released": str,
        "keywords": list[str],
        "license": str,
        "identifiers": _each(_Mail),
        "contact": _each(_object({"name": str, "tel": str, "email": str})),
        "preferred-citation": _object({"notes": str, "languages": list[str], "publisher": _object({"name": str})}),
    }
)

_GeoParquet = _object(
    {
        "version": str,
        "primary_column": str,
        "columns": _by_name(
            _object({"encoding": str, "geometry_types": list[str], "crs": _Anything, "bbox": list[float]})
        ),
    }
)
_Search = _object(
    {
        "collections": _each(_object({"id": str, "prefix": list[str]})),
        "items": list[list[Any]],
    }
)

_FORMS: dict[str, Any] = {
    MANIFEST_JSON: _Manifest,
    STATEMENT_JSON: _Statement,
    COLLECTION_JSON: _Stac,
    DATAPACKAGE_JSON: _Package,
    NCDC_JSON: _Portal,
    NCDC_PORTAL_JSON: _Anything,
    DATACITE_JSON: _DataCite,
    DATASET_JSONLD: _SchemaOrg,
    CRATE_JSON: _Crate,
    CITATION_CFF: _Citation,
    ITEMS_JSON: _Items,
    ".geojson": _Features,
    "geoparquet": _GeoParquet,
    SEARCH_JS: _Search,
    "": _Anything,
}


def misfit(path: str, content: object) -> str:
    """Where a document is not of the form that its path asks for, and what stands there; empty where it is."""
    try:
        _adapter(_kind_of(PurePosixPath(path))).validate_python(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        return f"{place}: {str(first['input'])[:60]!r} ({first['msg'][:1].lower()}{first['msg'][1:]})"
    return ""


def formed(path: str, content: Any) -> Any:
    """The document, which is of the form that its path asks for.

    Errors
    ------
    WrongForm : it is not; names the place, and what stands there.
    """
    if place := misfit(path, content):
        raise WrongForm(f"{path}: {place}")
    return content


def _kind_of(path: PurePosixPath) -> str:
    """The key of a document's form: its name, its suffix, or that of all STAC documents."""
    for key in (path.name, path.suffix):
        if key in _FORMS:
            return key
    return COLLECTION_JSON if path.suffix == ".json" and path.parts[0] != SCHEMAS else ""


@lru_cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_FORMS[kind])
