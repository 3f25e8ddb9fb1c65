"""Our ``glacier:`` fields as an extension of pystac's: ``GlacierExtension.ext(item).annual_m_we``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar, overload

from pystac import Collection, ExtensionNotImplemented, ExtensionTypeError, Item, STACObject
from pystac.extensions.base import ExtensionManagementMixin, PropertiesExtension

from schemas.glacier_extension import FIELDS, PREFIX, SCHEMA_PATH

T = TypeVar("T", Item, Collection)
V = TypeVar("V")
_DESCRIBED_BY = "describedby"


class _Field(Generic[V]):
    """A field of the extension as an attribute named like it; None where the object does not have it."""

    def __set_name__(self, _: type, name: str) -> None:
        self.field = f"{PREFIX}{name}"

    @overload
    def __get__(self, extension: None, _: type) -> _Field[V]: ...
    @overload
    def __get__(self, extension: GlacierExtension[Any], _: type) -> V | None: ...
    def __get__(self, extension: GlacierExtension[Any] | None, _: type) -> _Field[V] | V | None:
        return self if extension is None else extension.properties.get(self.field)

    def __set__(self, extension: GlacierExtension[Any], value: V | None) -> None:
        extension.apply({self.field: value})


class GlacierExtension(Generic[T], PropertiesExtension, ExtensionManagementMixin[Item | Collection]):
    """The ``glacier:`` fields of an item or a collection.

    Those that are one number or word are attributes, named without the prefix; ``fields`` has all of them. What each
    means is said in ``schemas.glacier_extension``.

    The archive holds the schema itself and stands at no fixed address: every document leads to it with a link
    (``describedby``), and an archive that knows its address declares it in ``stac_extensions``. Either will do here.

    Errors
    ------
    ExtensionTypeError : neither an item nor a collection.
    """

    name: Literal["glacier"] = "glacier"

    kind = _Field[str]()
    synthetic = _Field[bool]()
    year = _Field[int]()
    annual_m_we = _Field[float]()
    sigma_annual_m_we = _Field[float]()
    ela_m = _Field[float]()
    sigma_ela_m = _Field[float]()
    ela_position = _Field[str]()
    aar = _Field[float]()
    sigma_aar = _Field[float]()
    area_km2 = _Field[float]()
    mean_dh_m = _Field[float]()
    sigma_mean_dh_m = _Field[float]()

    def __init__(self, extended: T) -> None:
        if isinstance(extended, Item):
            self.properties = extended.properties
        elif isinstance(extended, Collection):
            self.properties = extended.extra_fields
        else:
            raise ExtensionTypeError(self._ext_error_message(extended))

    @property
    def fields(self) -> dict[str, Any]:
        """Every field of the extension that the object has, by its whole name."""
        return {name: value for name, value in self.properties.items() if name.startswith(PREFIX)}

    def apply(self, fields: Mapping[str, Any]) -> None:
        """Set fields by their whole names; None is a value: a number that is not known.

        Errors
        ------
        KeyError : a field that the extension does not have.
        """
        for name, value in fields.items():
            if name not in FIELDS:
                raise KeyError(name)
            self.properties[name] = value

    @classmethod
    def ext(cls, extended: T, add_if_missing: bool = False) -> GlacierExtension[T]:
        """The fields of an object that declares them, or leads to their schema.

        Errors
        ------
        ExtensionTypeError : neither an item nor a collection.
        ExtensionNotImplemented : an object that does not declare the extension; nothing but ``declare`` can add it.
        """
        extension = GlacierExtension(extended)
        if not cls.has_extension(extended):
            raise ExtensionNotImplemented(f"{extended.id} neither declares {SCHEMA_PATH} nor leads to it")
        return extension

    @classmethod
    def get_schema_uri(cls) -> str:
        """Where the schema stands below the archive's root."""
        return SCHEMA_PATH

    @classmethod
    def has_extension(cls, obj: STACObject) -> bool:
        """Whether an object declares the extension at any address, or leads to its schema."""
        leading: list[str] = [link.get_target_str() or "" for link in obj.get_links(_DESCRIBED_BY)]
        return any(address.endswith(SCHEMA_PATH) for address in [*obj.stac_extensions, *leading])

    @classmethod
    def declare(cls, obj: STACObject, base: str) -> None:
        """Declare the extension on an object that has fields of it, where the archive knows its address."""
        holder = obj.properties if isinstance(obj, Item) else getattr(obj, "extra_fields", {})
        if base and any(name.startswith(PREFIX) for name in holder):
            obj.stac_extensions.append(f"{base}/{SCHEMA_PATH}")
