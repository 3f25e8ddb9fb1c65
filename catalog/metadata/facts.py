"""What every rendering says of a dataset, derived once, so that the renderings cannot disagree."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from catalog.archive import THUMBNAIL_PNG, ByKind
from schemas.definition import Bilingual, Definition, Keywords

if TYPE_CHECKING:
    from catalog.archive import Dataset
    from pipeline.elevation_change.result import ElevationChange
    from pipeline.mass_balance.result import MassBalance

# path relative to the collection's folder, size (bytes), sha256 (hex), media type
DataFile = tuple[str, int, str, str]

# the record itself is in English; everything that the definition says in Chinese stands beside it
LANGUAGE = "en"
LANGUAGES = (LANGUAGE, "zh")
SYNTHETIC = Bilingual(en="[SYNTHETIC SAMPLE]", cn="[合成样本]")
_SYNTHETIC_NOTE = Bilingual(
    en="Computed from the embedded synthetic sample, not from observations; for demonstration and tests only.",
    cn="由内置的合成样本而非实测数据计算得到，仅供演示和测试。",
)
_DECIMALS = 4
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Variable:
    """A published variable: its name in both languages and its unit."""

    name: Bilingual
    unit: str


_VARIABLES: dict[str, tuple[Variable, ...]] = {
    "elevation_change": (
        Variable(Bilingual(en="surface elevation change", cn="表面高程变化"), "m"),
        Variable(Bilingual(en="standard deviation of the surface elevation change", cn="表面高程变化标准差"), "m"),
    ),
    "mass_balance": (
        Variable(Bilingual(en="annual mass balance", cn="年物质平衡"), "m w.e."),
        Variable(Bilingual(en="winter mass balance", cn="冬季物质平衡"), "m w.e."),
        Variable(Bilingual(en="summer mass balance", cn="夏季物质平衡"), "m w.e."),
        Variable(Bilingual(en="equilibrium-line altitude", cn="平衡线高度"), "m"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """A quality gate with what was found; ``value`` is None where nothing could be computed."""

    gate: str
    subject: str
    value: float | None
    limit: float
    unit: str
    passed: bool
    meaning: str

    def __str__(self) -> str:
        value = "not computed" if self.value is None else f"{self.value:g} {self.unit}"
        verdict = "passed" if self.passed else "FAILED"
        return f"{self.gate}, {self.subject}: {value} (limit {self.limit:g} {self.unit}): {verdict}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of one dataset in the form in which they are published.

    Attributes
    ----------
    definition : the source of all of them.
    synthetic : whether the inputs are the embedded sample; title, abstract and quality then say so.
    title, abstract, methods, quality, citation : in both languages.
    creators : authors as the source names them; the publisher where it names none.
    creators_are_people : False where the publisher stands in.
    keywords : all kinds together, English, each once, in the source's order.
    variables : what the dataset publishes.
    files : data files of the collection, sorted by path; none before they are written.
    gates, statistics : the computed quality.
    """

    definition: Definition
    synthetic: bool
    title: Bilingual
    abstract: Bilingual
    methods: Bilingual
    quality: Bilingual
    citation: Bilingual
    creators: tuple[str, ...]
    creators_are_people: bool
    keywords: tuple[str, ...]
    variables: tuple[Variable, ...]
    files: tuple[DataFile, ...]
    gates: tuple[GateResult, ...]
    statistics: dict[str, Any]

    def with_files(self, files: Sequence[DataFile]) -> Facts:
        """The same, and what there is of data files: path below the collection's folder, bytes, sha256, media type."""
        return replace(self, files=tuple(sorted(files)))

    @property
    def total_size(self) -> int:
        """Bytes of all data files."""
        return sum(size for _, size, _, _ in self.files)

    @property
    def computed_quality(self) -> dict[str, Any]:
        """Gates and statistics as computed, apart from what the source claims."""
        return {
            "synthetic": self.synthetic,
            "all_gates_passed": all(gate.passed for gate in self.gates),
            "gates": [asdict(gate) for gate in self.gates],
            "statistics": self.statistics,
        }

    @property
    def thumbnail(self) -> str:
        """Path of the first thumbnail among the data files; empty where there is none."""
        return next((path for path, *_ in self.files if path.rsplit("/", 1)[-1] == THUMBNAIL_PNG), "")


def describe(dataset: Dataset) -> Facts:
    """Derive the facts of a dataset from its definition and its result; of its files they say nothing yet.

    It is done once for a dataset: whoever writes of it is handed the facts.
    """
    definition, reading = dataset.definition, dataset.definition.reading
    dates = Bilingual(en=definition.period.note, cn=definition.period.note_cn)
    title = _marked(definition.title, dataset.synthetic)
    authors = _split(definition.original.author)
    note = _SYNTHETIC_NOTE if dataset.synthetic else Bilingual(en="")
    return Facts(
        definition=definition,
        synthetic=dataset.synthetic,
        title=title,
        abstract=_marked(_joined(note, reading.description, dates), dataset.synthetic),
        methods=_joined(reading.data_source, reading.processing_method),
        quality=_marked(reading.data_quality, dataset.synthetic),
        citation=_citation(definition, title, authors),
        creators=authors or (definition.publisher,),
        creators_are_people=bool(authors),
        keywords=_flat(definition.keywords.en),
        variables=_VARIABLES[definition.kind],
        files=(),
        gates=_gates(dataset),
        statistics=_statistics(dataset),
    )


def licence_url(licence: str) -> str:
    """Address of an SPDX licence; empty for 'other'."""
    return "" if licence == "other" else f"https://spdx.org/licenses/{licence}.html"


def without_turns(text: str) -> str:
    """A text without the characters that turn the direction of writing, for places that show it to people.

    Letters that are written from right to left turn by themselves; these characters turn what stands behind them too.
    """
    return _TURNS.sub("", text)


def one_line(text: str) -> str:
    """A text without line breaks, for places that hold one line."""
    return " ".join(text.split())


def _marked(text: Bilingual, synthetic: bool) -> Bilingual:
    if not synthetic:
        return text
    return Bilingual(en=f"{SYNTHETIC.en} {text.en}", cn=f"{SYNTHETIC.cn} {text.cn}" if text.cn else "")


def _joined(*texts: Bilingual) -> Bilingual:
    return Bilingual(
        en=" ".join(text.en for text in texts if text.en), cn="".join(text.cn for text in texts if text.cn)
    )


def _split(names: str) -> tuple[str, ...]:
    for separator in ("；", "、"):
        names = names.replace(separator, ";")
    return tuple(name.strip() for name in names.split(";") if name.strip())


def _flat(keywords: Keywords) -> tuple[str, ...]:
    ordered = (*keywords.theme, *keywords.subject, *keywords.place, *keywords.time)
    return tuple(dict.fromkeys(ordered))


def _citation(definition: Definition, title: Bilingual, authors: tuple[str, ...]) -> Bilingual:
    """Authors, title, data centre (host), year, version, DOI; what the source does not name is left out."""
    host = urlsplit(definition.publisher_url).netloc
    year = str(definition.publication_date.year)
    doi = f"https://doi.org/{definition.doi}" if definition.doi else ""
    english = [", ".join(authors), title.en, f"{definition.publisher} ({host})", year]
    english += [f"version {definition.version}", doi]
    publisher = definition.publisher_cn or definition.publisher
    chinese = ["，".join(authors), title.cn or title.en, f"{publisher}（{host}）", year]
    chinese += [f"版本{definition.version}", doi]
    return Bilingual(
        en=one_line(", ".join(part for part in english if part)) + ".",
        cn=one_line("，".join(part for part in chinese if part)) + "。",
    )


def _gates(dataset: Dataset) -> tuple[GateResult, ...]:
    meanings = {gate.name: gate.meaning for gate in dataset.definition.gates}
    rows: list[dict[Any, Any]] = dataset.gates.to_dict("records")
    return tuple(
        GateResult(
            gate=str(row["gate"]),
            subject=str(row["subject"]),
            value=_plain(row["value"]),
            limit=float(row["limit"]),
            unit=str(row["unit"]),
            passed=bool(row["passed"]),
            meaning=meanings.get(str(row["gate"]), ""),
        )
        for row in rows
    )


def _of_change(result: ElevationChange) -> dict[str, Any]:
    return {
        "stable_terrain": {
            "before": asdict(result.before),
            "after_coregistration": asdict(result.after_coregistration),
            "after": asdict(result.after),
        },
        "shift_m": asdict(result.shift_m),
        "datum": asdict(result.datum),
        "resolution_correction": result.resolution.method,
        "glaciers": asdict(result.totals) if result.totals else None,
    }


def _of_balance(result: MassBalance) -> dict[str, Any]:
    return {
        "years": [
            {
                "year": year.year,
                "annual_balance_m_we": year.annual_m_we,
                "sigma_annual_m_we": year.sigma_annual_m_we,
                "provenance": year.provenance,
            }
            for year in result.years
        ]
    }


_STATISTICS = ByKind(elevation_change=_of_change, mass_balance=_of_balance)


def _statistics(dataset: Dataset) -> dict[str, Any]:
    """The computed quality of a dataset; of several pairs of DEMs that of each, by its years."""
    if dataset.pairs:
        return {"pairs": {part.pair: _statistics(part) for part in dataset.pairs}}
    plain: dict[str, Any] = _plain(_STATISTICS(dataset.result))
    return plain


def _plain(value: Any) -> Any:
    """A value that JSON can hold: floats rounded, NaN and infinity as None."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    number = float(value)
    return round(number, _DECIMALS) + 0.0 if math.isfinite(number) else None
