"""Publication to an S3 server on loopback."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import obstore
import pytest
import rasterio
from moto.server import ThreadedMotoServer
from obstore.store import S3Store
from rasterio.windows import Window

from catalog.publish import destinations, lease
from catalog.publish.lease import LOCK_JSON
from catalog.publish.upload import JOURNAL_JSON, publish
from pipeline.patience import Patience
from schemas.errors import BadInput, FailedCheck
from tests.catalog.publish.test_publish import versioned
from tests.made.tiny_archive import (
    COG_PATH,
    COLLECTION,
    CSV_PATH,
    ITEM_PATH,
    surface,
    write_archive,
    write_cog,
    write_manifest,
    write_text,
)

# each starts a store of its own
pytestmark = pytest.mark.slow

BUCKET, PREFIX = "glaciers", "tianshan/v1"
ADDRESS = f"s3://{BUCKET}/{PREFIX}"


def make_public_bucket(endpoint: str) -> None:
    """The only bucket of a store that was emptied; everybody may read from it."""
    httpx.post(f"{endpoint}/moto-api/reset", trust_env=False)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/s3/aws4_request, Signature=0"}
    httpx.put(f"{endpoint}/{BUCKET}", headers=signed, trust_env=False).raise_for_status()
    # the server asks leave for HEAD under a name of its own
    reading = ["s3:GetObject", "s3:HeadObject"]
    everybody = {"Effect": "Allow", "Principal": "*", "Action": reading, "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    policy = {"Version": "2012-10-17", "Statement": [everybody]}
    httpx.put(f"{endpoint}/{BUCKET}?policy", json=policy, headers=signed, trust_env=False).raise_for_status()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint, monkeypatch) -> S3Store:
    """An empty bucket, its own credentials, and a plain client to look at what was stored."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(destinations, "PATIENCE", Patience(attempts=2, first_wait_s=0.2))
    make_public_bucket(endpoint)
    return S3Store(BUCKET, endpoint=endpoint, client_options={"allow_http": True})


@pytest.fixture
def archive(tmp_path) -> Path:
    return write_archive(tmp_path / "archive", raster=False)


def stored(store: S3Store) -> dict[str, bytes]:
    names = [entry["path"] for entry in obstore.list(store).collect()]
    return {name.removeprefix(f"{PREFIX}/"): bytes(obstore.get(store, name).bytes()) for name in names}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def uploads(monkeypatch) -> list[str]:
    """Paths in the order in which they are sent."""
    sent, put = [], obstore.put

    def watched(store, path, *arguments, **options):
        sent.append(path)
        return put(store, path, *arguments, **options)

    monkeypatch.setattr(destinations.obstore, "put", watched)
    return sent


def test_bucket_holds_the_archive(archive, store, endpoint):
    report = publish(archive, ADDRESS, endpoint_url=endpoint)
    assert stored(store) == contents(archive)
    assert report.destination == ADDRESS


def test_objects_carry_media_type_cache_rule_and_checksum(archive, store, endpoint):
    publish(archive, ADDRESS, endpoint_url=endpoint)
    raster = httpx.head(f"{endpoint}/{BUCKET}/{PREFIX}/{COG_PATH}", trust_env=False).headers
    item = httpx.head(f"{endpoint}/{BUCKET}/{PREFIX}/{ITEM_PATH}", trust_env=False).headers
    assert raster["content-type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert raster["cache-control"] == "public, max-age=3600, must-revalidate"
    listed = {file["path"]: file["sha256"] for file in json.loads((archive / "manifest.json").read_text())["files"]}
    assert raster["x-amz-meta-sha256"] == listed[COG_PATH]
    assert (item["content-type"], item["cache-control"]) == ("application/geo+json", "no-cache")


def test_catalogue_is_sent_last(archive, store, endpoint, monkeypatch):
    sent = uploads(monkeypatch)
    publish(archive, ADDRESS, endpoint_url=endpoint)
    assert sent[:2] == [LOCK_JSON, JOURNAL_JSON]
    assert sent[-2:] == ["manifest.json", "catalog.json"]
    assert sent.index(COG_PATH) < sent.index(ITEM_PATH) < sent.index(f"{COLLECTION}/collection.json")


def test_unchanged_objects_are_not_sent_again(archive, store, endpoint, monkeypatch):
    publish(archive, ADDRESS, endpoint_url=endpoint)
    write_text(archive, CSV_PATH, "glacier_id,mean_dh_m\nG1,-0.6\n")
    write_manifest(archive)
    sent = uploads(monkeypatch)
    assert publish(archive, ADDRESS, endpoint_url=endpoint).copied == (CSV_PATH, "manifest.json")
    assert sent == [LOCK_JSON, JOURNAL_JSON, CSV_PATH, "manifest.json"]
    assert stored(store) == contents(archive)


def test_object_changed_by_another_tool_is_replaced(archive, store, endpoint):
    publish(archive, ADDRESS, endpoint_url=endpoint)
    obstore.put(store, f"{PREFIX}/{COG_PATH}", b"x" * (archive / COG_PATH).stat().st_size)
    assert publish(archive, ADDRESS, endpoint_url=endpoint).copied == (COG_PATH,)
    assert stored(store) == contents(archive)


def test_large_file_goes_in_parts_and_is_verified_by_its_etag(archive, store, endpoint, monkeypatch):
    (archive / "large.tif").write_bytes(np.random.default_rng(1).bytes(2 * destinations.PART_BYTES + 12_345))
    write_manifest(archive)
    reads = []
    monkeypatch.setattr(destinations.BucketDestination, "_sha256_of", lambda self, path: reads.append(path))
    publish(archive, ADDRESS, endpoint_url=endpoint)
    assert obstore.head(store, f"{PREFIX}/large.tif")["e_tag"].endswith('-3"')
    assert bytes(obstore.get(store, f"{PREFIX}/large.tif").bytes()) == (archive / "large.tif").read_bytes()
    assert reads == []


def test_etag_that_proves_nothing_leads_to_reading_back(archive, store, endpoint, monkeypatch):
    monkeypatch.setattr(destinations, "etag_matches", lambda *_: False)
    report = publish(archive, ADDRESS, endpoint_url=endpoint)
    assert len(report.copied) == len(contents(archive))


def test_what_arrived_damaged_is_removed_and_reported(archive, store, endpoint, monkeypatch):
    put = obstore.put

    def damage(store, path, file, **options):
        return put(store, path, b"damaged" if path == COG_PATH else file, **options)

    monkeypatch.setattr(destinations.obstore, "put", damage)
    with pytest.raises(FailedCheck, match=r"elevation_change\.tif: found sha256 .* expected sha256 .* publish again"):
        publish(archive, ADDRESS, endpoint_url=endpoint, workers=1)
    assert COG_PATH not in stored(store)
    assert "catalog.json" not in stored(store)


def test_interrupted_publication_is_resumed(archive, store, endpoint, monkeypatch):
    put = obstore.put

    def put_until(store, path, file, **options):
        if path == ITEM_PATH:
            raise KeyboardInterrupt
        return put(store, path, file, **options)

    with monkeypatch.context() as patched:
        patched.setattr(destinations.obstore, "put", put_until)
        with pytest.raises(KeyboardInterrupt):
            publish(archive, ADDRESS, endpoint_url=endpoint, workers=1)
    assert "catalog.json" not in stored(store)
    report = publish(archive, ADDRESS, endpoint_url=endpoint)
    assert COG_PATH in report.unchanged
    assert stored(store) == contents(archive)


def test_deletion_only_on_request_and_only_of_listed_files(archive, store, endpoint):
    publish(archive, ADDRESS, endpoint_url=endpoint)
    obstore.put(store, f"{PREFIX}/robots.txt", b"the web master's own")
    obstore.put(store, "tianshan/v2/catalog.json", b"{}")
    (archive / CSV_PATH).unlink()
    write_manifest(archive)
    assert publish(archive, ADDRESS, endpoint_url=endpoint).left_behind == (CSV_PATH,)
    assert CSV_PATH in stored(store)
    # the manifest that named the table is gone: what was left behind once stays
    assert publish(archive, ADDRESS, endpoint_url=endpoint, delete=True).deleted == ()
    (archive / COG_PATH).unlink()
    write_manifest(archive)
    assert publish(archive, ADDRESS, endpoint_url=endpoint, delete=True).deleted == (COG_PATH,)
    assert set(stored(store)) == {*contents(archive), CSV_PATH, "robots.txt", "tianshan/v2/catalog.json"}


def test_version_published_before_is_kept_by_the_store_with_its_types(archive, store, endpoint):
    publish(versioned(archive, "1.0.0"), ADDRESS, endpoint_url=endpoint)
    first = contents(archive)
    (archive / COG_PATH).unlink()
    report = publish(
        versioned(archive, "2.0.0", **{CSV_PATH: "glacier_id\n"}), ADDRESS, endpoint_url=endpoint, delete=True
    )
    assert report.kept == "versions/1.0.0"
    there = stored(store)
    assert {
        path.removeprefix("versions/1.0.0/"): there[path] for path in there if path.startswith("versions/")
    } == first
    assert {path: there[path] for path in there if not path.startswith("versions/")} == contents(archive)
    kept = httpx.head(f"{endpoint}/{BUCKET}/{PREFIX}/versions/1.0.0/{COG_PATH}", trust_env=False).headers
    assert kept["content-type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert kept["cache-control"] == "public, max-age=3600, must-revalidate"


def test_dry_run_sends_nothing(archive, store, endpoint):
    report = publish(archive, ADDRESS, endpoint_url=endpoint, dry_run=True)
    assert set(report.copied) == set(contents(archive))
    assert stored(store) == {}


def test_prefix_with_foreign_objects_is_refused(archive, store, endpoint):
    obstore.put(store, f"{PREFIX}/thesis.txt", b"mine")
    with pytest.raises(BadInput, match=r"files that are no archive .* nothing was changed"):
        publish(archive, ADDRESS, endpoint_url=endpoint, delete=True)
    assert stored(store) == {"thesis.txt": b"mine"}


def test_neighbouring_prefix_is_not_mistaken_for_ours(archive, store, endpoint):
    obstore.put(store, f"{PREFIX}-old/thesis.txt", b"mine")
    publish(archive, ADDRESS, endpoint_url=endpoint)
    assert len(obstore.list(store, PREFIX).collect()) == len(contents(archive))


def test_whole_bucket_can_be_the_destination(archive, store, endpoint):
    publish(archive, f"s3://{BUCKET}", endpoint_url=endpoint)
    assert stored(store) == contents(archive)


def test_missing_bucket_is_named(archive, store, endpoint):
    with pytest.raises(BadInput, match=r"s3://nowhere at http.*404 Not Found \(NoSuchBucket\).*create it, or correct"):
        publish(archive, "s3://nowhere", endpoint_url=endpoint)


def test_gdal_reads_a_window_of_the_published_raster(tmp_path, store, endpoint):
    publish(write_archive(tmp_path / "archive"), ADDRESS, endpoint_url=endpoint)
    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_PROXY": "", "NO_PROXY": "127.0.0.1"}
    with rasterio.Env(**options), rasterio.open(f"/vsicurl/{endpoint}/{BUCKET}/{PREFIX}/{COG_PATH}") as raster:
        window = raster.read(1, window=Window(256, 512, 256, 256))
    np.testing.assert_array_equal(window, surface()[512:768, 256:512])


def test_one_publication_at_a_time(archive, store, endpoint, monkeypatch):
    """The second is refused while the first sends; afterwards nothing of the lease is left."""
    refused = []
    put = destinations.BucketDestination.put

    def put_while_another_tries(self, source, file):
        if not refused:
            with pytest.raises(BadInput, match=r"another publication at work, whose lease ends in \d+ s") as error:
                publish(archive, ADDRESS, endpoint_url=endpoint)
            refused.append(str(error.value))
        put(self, source, file)

    monkeypatch.setattr(destinations.BucketDestination, "put", put_while_another_tries)
    publish(archive, ADDRESS, endpoint_url=endpoint, workers=1)
    assert len(refused) == 1
    assert stored(store) == contents(archive)


def test_lease_of_a_killed_publication_ends(archive, store, endpoint, monkeypatch):
    obstore.put(store, f"{PREFIX}/{LOCK_JSON}", b"of a killed one")
    with pytest.raises(BadInput, match="another publication at work"):
        publish(archive, ADDRESS, endpoint_url=endpoint)
    assert set(stored(store)) == {LOCK_JSON}
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=0))
    publish(archive, ADDRESS, endpoint_url=endpoint)
    assert stored(store) == contents(archive)


def test_publication_that_lost_its_lease_stops_before_the_catalogue(archive, store, endpoint, monkeypatch):
    put = destinations.BucketDestination.put

    def put_and_lose(self, source, file):
        put(self, source, file)
        if file.path == COG_PATH:
            obstore.put(store, f"{PREFIX}/{LOCK_JSON}", b"of another one")

    monkeypatch.setattr(destinations.BucketDestination, "put", put_and_lose)
    with pytest.raises(FailedCheck, match="another publication, begun while this one kept silent"):
        publish(archive, ADDRESS, endpoint_url=endpoint, workers=1)
    there = stored(store)
    assert not {"catalog.json", "manifest.json"} & set(there)
    assert there[LOCK_JSON] == b"of another one"


def test_values_in_a_bucket_change_only_under_a_new_version(archive, store, endpoint):
    values = surface(90, 130)
    write_cog(archive / COG_PATH, values)
    publish(versioned(archive, "1.0.0"), ADDRESS, endpoint_url=endpoint)
    before = stored(store)
    values[7, 9] += 0.5
    write_cog(archive / COG_PATH, values)
    with pytest.raises(FailedCheck, match=r"published in s3://.*1 of 11700 pixels differ, by at most 0\.5"):
        publish(versioned(archive, "1.0.1"), ADDRESS, endpoint_url=endpoint)
    assert stored(store) == before
