"""What an address writes into a finished archive, that it can be taken back, and that other programs follow it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from lxml import etree, html

from catalog.address import address_archive, base_of
from catalog.archive import Archive, FolderFiles, read_public_key
from catalog.checks import CHECKS, validate
from catalog.publish import publish
from catalog.sign import sign_archive
from schemas.errors import BadInput, FailedCheck
from tests.made.damage import reseal

HERE, THERE = "https://data.example.org/tianshan", "http://archive.example.net:8080/a/b"
BALANCE, CHANGE = "test-mass-balance", "test-elevation-change"
ITEM = f"{BALANCE}/balance-2001/balance-2001.json"


@pytest.fixture(scope="module")
def addressed(whole_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive at an address, as `publish --base-url` leaves it; nobody may change it."""
    out = tmp_path_factory.mktemp("addressed") / "archive"
    publish(whole_archive, str(out), base_url=f"{HERE}/catalog.json")
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def failures(archive: Path, name: str) -> list[str]:
    check = next(one for one in CHECKS if one.name == name)
    return [str(failure) for failure in check(Archive(FolderFiles(archive))).failures]


def hrefs_of(document: dict) -> list[str]:
    return [one["href"] for one in (*document["links"], *document.get("assets", {}).values())]


def stac(folder: Path) -> dict[str, dict]:
    read = {name: json.loads(text) for name, text in contents(folder).items() if name.endswith(".json")}
    return {name: one for name, one in read.items() if isinstance(one, dict) and "stac_version" in one}


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://example.org/a/", "https://example.org/a"),
        ("https://example.org/a/catalog.json", "https://example.org/a"),
        ("https://example.org/my-catalog.json", "https://example.org/my-catalog.json"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        (None, ""),
    ],
)
def test_an_address_is_that_of_the_archives_folder(given: str | None, base: str) -> None:
    assert base_of(given) == base


@pytest.mark.parametrize(
    "given",
    [
        "example.org/a", "my/folder", "ftp://example.org", "https://", "https://example.org/a?b=c", "s3://bucket/a",
        "https://example.org/a#b", "https://example.org/a b", "https://user:secret@example.org/a", "", "https:///a",
        "https://example.org/a/../b", "https://example.org/a//b", "https://example.org:99999/a", "https://exa mple.org",
        "https://example.org/\n", "https://example.org/<script>",
    ],
)  # fmt: skip
def test_what_is_no_address_is_bad_input(given: str) -> None:
    with pytest.raises(BadInput, match=r"--base-url: found .*; expected an http or https address"):
        base_of(given)


def test_every_link_and_asset_of_the_catalogue_leads_to_a_file_by_its_address(
    addressed: Path, whole_archive: Path
) -> None:
    files, relative = contents(addressed), stac(whole_archive)
    for name, document in stac(addressed).items():
        own = {link["rel"]: link["href"] for link in document["links"]}
        assert own["self"] == own["canonical"] == f"{HERE}/{name}"
        hrefs = [link["href"] for link in document["links"]] + [
            one["href"] for one in document.get("assets", {}).values()
        ]
        before = [link["href"] for link in relative[name]["links"]]
        before += [one["href"] for one in relative[name].get("assets", {}).values()]
        expected = {urljoin(f"{HERE}/{name}", href) for href in before} | {f"{HERE}/{name}"}
        assert set(hrefs) == expected
        inside = [href.removeprefix(f"{HERE}/") for href in hrefs if href.startswith(HERE)]
        assert len(inside) > 3
        assert set(inside) <= files.keys()


def test_records_say_where_the_dataset_is(addressed: Path) -> None:
    folder, page = addressed / BALANCE / "metadata", f"{HERE}/{BALANCE}/index.html"
    dataset = json.loads((folder / "dataset.jsonld").read_text())
    assert (dataset["@id"], dataset["url"]) == (page, page)
    files = [one["contentUrl"].removeprefix(f"{HERE}/") for one in dataset["distribution"]]
    assert len(files) > 20
    assert all((addressed / name).is_file() for name in files)
    citation = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert citation["url"] == citation["preferred-citation"]["url"] == page
    cited = json.loads((folder / "datacite.json").read_text())
    assert cited["url"] == page
    related = {one["relatedIdentifier"] for one in cited["relatedIdentifiers"] if one["relationType"] == "HasPart"}
    assert f"{HERE}/{BALANCE}/balance-2001/balance.tif" in related
    kernel = {"d": "http://datacite.org/schema/kernel-4"}
    in_xml = ElementTree.parse(folder / "datacite.xml").findall("d:relatedIdentifiers/d:relatedIdentifier", kernel)
    assert related < {one.text for one in in_xml}


def test_the_iso_record_has_a_distribution_that_owslib_reads(addressed: Path) -> None:
    iso = pytest.importorskip("owslib.iso")
    record = iso.MD_Metadata(etree.parse(addressed / BALANCE / "metadata" / "iso19139.xml").getroot())
    links = {one.url for one in record.distribution.online}
    assert {f"{HERE}/{BALANCE}/index.html", f"{HERE}/{BALANCE}/collection.json"} < links
    assert f"{HERE}/{BALANCE}/balance-2001/balance.tif" in links
    assert record.dataseturi == f"{HERE}/{BALANCE}/index.html"


def test_pages_name_their_address_and_what_they_describe(addressed: Path) -> None:
    page = html.fromstring((addressed / BALANCE / "index.html").read_text(encoding="utf-8"))
    links: dict[str, list[str]] = {}
    for link in page.xpath("//head/link[@data-address]"):
        links.setdefault(link.get("rel"), []).append(link.get("href"))
    assert links["canonical"] == links["cite-as"] == [f"{HERE}/{BALANCE}/index.html"]
    assert links["type"] == ["https://schema.org/AboutPage", "https://schema.org/Dataset"]
    assert f"{HERE}/{BALANCE}/collection.json" in links["describedby"]
    assert all((addressed / href.removeprefix(f"{HERE}/")).is_file() for href in links["item"])
    item = html.fromstring((addressed / BALANCE / "balance-2001" / "index.html").read_text(encoding="utf-8"))
    assert item.xpath("//link[@rel='collection']/@href") == [f"{HERE}/{BALANCE}/index.html"]
    assert f"{HERE}/{BALANCE}/balance-2001/balance.tif" in item.xpath("//link[@rel='item']/@href")


def test_the_sitemap_lists_every_page(addressed: Path) -> None:
    root = ElementTree.parse(addressed / "sitemap.xml").getroot()
    listed = [element.text for element in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert sorted(map(str, listed)) == sorted(
        f"{HERE}/{name}" for name in contents(addressed) if name.endswith(".html")
    )


def test_only_documents_that_hold_addresses_are_written_anew(addressed: Path, whole_archive: Path) -> None:
    before, after = contents(whole_archive), contents(addressed)
    assert after.keys() == before.keys() | {"sitemap.xml"}
    changed = {name for name in before if before[name] != after[name]}
    assert not [name for name in changed if name.endswith((".tif", ".csv", ".png", ".geojson", ".xlsx", ".md"))]


def test_another_address_gives_the_bytes_of_addressing_the_relative_archive(
    addressed: Path, whole_archive: Path, tmp_path: Path
) -> None:
    publish(addressed, str(tmp_path / "again"), base_url=THERE)
    publish(whole_archive, str(tmp_path / "at once"), base_url=THERE)
    assert contents(tmp_path / "again") == contents(tmp_path / "at once")
    report = publish(tmp_path / "again", str(tmp_path / "at once"), base_url=f"{THERE}/")
    assert report.copied == ()


def test_the_same_address_again_changes_nothing(addressed: Path, tmp_path: Path) -> None:
    assert not address_archive(addressed, HERE, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_archive_at_an_address_passes_every_check(addressed: Path) -> None:
    report = validate(addressed)
    assert [failure for result in report.results for failure in result.failures] == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (ITEM, f"{HERE}/{ITEM}", f"{THERE}/{ITEM}"),
        (f"{BALANCE}/metadata/iso19139.xml", f"{HERE}/{BALANCE}/index.html", f"{HERE}/{BALANCE}/other.html"),
        (f"{BALANCE}/metadata/CITATION.cff", f"{HERE}/{BALANCE}/index.html", "https://example.org"),
        (f"{BALANCE}/index.html", f'rel="canonical" href="{HERE}', f'rel="canonical" href="{THERE}'),
        ("sitemap.xml", f"{HERE}/index.html", f"{HERE}/elsewhere.html"),
    ],
)
def test_another_address_in_one_document_is_seen(
    addressed: Path, tmp_path: Path, path: str, old: str, new: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(addressed, copy)
    text = (copy / path).read_text(encoding="utf-8")
    assert old in text
    (copy / path).write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")
    reseal(copy)
    assert [line for line in failures(copy, "addresses") if line.startswith(path)]


def test_a_document_that_was_altered_is_not_addressed(whole_archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(whole_archive, copy)
    (copy / ITEM).write_bytes((copy / ITEM).read_bytes() + b" ")
    with pytest.raises(FailedCheck, match="the file that the manifest lists"):
        publish(copy, str(tmp_path / "out"), base_url=HERE)


# --- signatures ---------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public half, as files."""
    key, private, public = Ed25519PrivateKey.generate(), tmp_path / "key.pem", tmp_path / "key.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    return private, public


@pytest.fixture
def signed_then_addressed(whole_archive: Path, tmp_path: Path, keys: tuple[Path, Path]) -> Path:
    copy, out = tmp_path / "copy", tmp_path / "published"
    shutil.copytree(whole_archive, copy)
    sign_archive(copy, keys[0])
    publish(copy, str(out), base_url=HERE)
    return out


def signature_failures(archive: Path, key: Path | None = None) -> list[str]:
    asked = None if key is None else read_public_key(key.read_bytes(), str(key))
    opened = Archive(FolderFiles(archive), signed_by=asked)
    return [
        str(failure) for one in CHECKS if one.name in ("signatures", "statement") for failure in one(opened).failures
    ]


def test_the_new_statement_names_the_old_manifest_and_its_signatures(
    signed_then_addressed: Path, whole_archive: Path
) -> None:
    before = hashlib.sha256((whole_archive / "manifest.json").read_bytes()).hexdigest()
    statement = json.loads((signed_then_addressed / "statement.json").read_text())
    first = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert (first["name"], first["digest"]) == ("manifest.json", {"sha256": before})
    assert len(first["annotations"]["signatures"]) == 1
    assert not (signed_then_addressed / "statement.dsse.json").exists()
    assert signature_failures(signed_then_addressed) == []


def test_the_key_that_signed_before_the_address_has_not_signed_it_as_it_is(
    signed_then_addressed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    (failure,) = signature_failures(signed_then_addressed, keys[1])
    assert "over the archive before it had its address" in failure
    sign_archive(signed_then_addressed, keys[0])
    assert signature_failures(signed_then_addressed, keys[1]) == []
    publish(signed_then_addressed, str(tmp_path / "there"), base_url=HERE)
    assert signature_failures(tmp_path / "there", keys[1]) == []


def test_a_signature_from_before_the_address_is_proved(signed_then_addressed: Path) -> None:
    manifest = signed_then_addressed / "manifest.json"
    content = json.loads(manifest.read_text())
    told = content["addressed_from"]["signatures"][0]
    told["sig"] = ("A" if told["sig"][0] != "A" else "B") + told["sig"][1:]
    manifest.write_text(json.dumps(content))
    assert any(
        "from before it had an address that does not hold" in one for one in signature_failures(signed_then_addressed)
    )
