"""How to cite the dataset, for people: in English and Chinese, with the source's own sentence word for word."""

from __future__ import annotations

import re

from catalog.metadata.facts import LANGUAGES, Facts, one_line


def citation_text(facts: Facts) -> str:
    """The citation as plain text."""
    definition, original = facts.definition, facts.definition.original
    lines = [
        "How to cite / 引用方式",
        "",
        facts.citation.en,
        "",
        facts.citation.cn,
        "",
        "DOI: " + (definition.doi or "none assigned / 尚未分配"),
    ]
    if definition.cstr:
        lines += ["CSTR: " + _bare(definition.cstr)]
    lines += ["", "By GB/T 7714-2015 / 按 GB/T 7714-2015 格式", "", *national_standard(facts)]
    if facts.synthetic:
        lines += ["", "Synthetic sample: do not cite as observations. / 合成样本：请勿作为实测数据引用。"]
    failed = [gate for gate in facts.gates if not gate.passed]
    if failed:
        lines += ["", "Published although these quality gates failed / 以下质量指标未通过:", ""]
        lines += [f"- {one_line(str(gate))}." for gate in failed]
    if not facts.creators_are_people:
        lines += ["", "The source names no authors; the data centre is cited as publisher. / 原文未列作者。"]
    lines += ["", *_about(facts)]
    lines += ["", "Citations and annotations, word for word from the source / 原文引用说明", ""]
    said = [text for text in (original.citation_intro, original.citation_english_note, original.citation) if text]
    lines += [line for text in said for line in text.splitlines()]
    if not original.citation:
        lines += ["(The source states no sentence. / 原文未给出引用语句。)"]
    products = [f"- {source.attribution} {source.url}".rstrip() for source in definition.sources if source.attribution]
    if products:
        lines += ["", "Please also cite the products it was made from / 请同时引用所用数据产品", "", *products]
    return "\n".join(lines) + "\n"


def national_standard(facts: Facts) -> tuple[str, str]:
    """The citation in Chinese and in English by GB/T 7714-2015: a data set that is online, [DS/OL].

    The standard's date of citing is the reader's, whom nothing here knows: it stands after the day of publication.
    """
    definition = facts.definition
    authors = ", ".join(facts.creators) if facts.creators_are_people else ""
    address = f"https://doi.org/{definition.doi}" if definition.doi else definition.publisher_url
    identifiers = [
        f"{scheme}:{value}" for scheme, value in (("DOI", definition.doi), ("CSTR", _bare(definition.cstr))) if value
    ]
    day = definition.publication_date
    spoken = (
        (facts.title.cn or facts.title.en, definition.publisher_cn or definition.publisher),
        (facts.title.en, definition.publisher),
    )
    chinese, english = (
        ". ".join(
            part
            for part in (
                *(authors, f"{one_line(title)}[DS/OL]", f"{publisher}, {day.year}({day.isoformat()})", address),
                *identifiers,
            )
            if part
        )
        + "."
        for title, publisher in spoken
    )
    return chinese, english


def _bare(cstr: str) -> str:
    """A CSTR without the scheme that some write before it."""
    return re.sub(r"^(?:https?://[^/]+/)?(?:cstr:)?", "", cstr, flags=re.IGNORECASE)


def _about(facts: Facts) -> list[str]:
    """What the citation stands for, a fact a line."""
    definition, extent = facts.definition, facts.definition.extent
    box = f"{extent.west} {extent.south} {extent.east} {extent.north}"
    lines = [
        "About the dataset / 数据集信息",
        "",
        f"Identifier / 标识: {definition.id}",
        f"Period / 时间: {definition.period.start.isoformat()}/{definition.period.end.isoformat()}",
        f"Extent in degrees, west south east north / 范围（西 南 东 北）: {box}",
        f"Published / 发布: {definition.publication_date.isoformat()}",
        f"Keywords / 关键词: {'; '.join(one_line(word) for word in facts.keywords)}",
        f"Licence / 许可: {definition.licence}",
        f"Languages / 语言: {', '.join(LANGUAGES)}",
    ]
    for contact in definition.contacts:
        said = (one_line(part) for part in (contact.name, contact.phone, contact.email) if part)
        lines.append(f"Contact / 联系人: {', '.join(said)}")
    if project := definition.project:
        lines.append(f"Project / 项目: {one_line(project.number)}, {one_line(project.name)}")
    return lines
