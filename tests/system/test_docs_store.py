"""The blocks of the documentation that publish to an object store, run against one on loopback."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from moto.server import ThreadedMotoServer

from tests.catalog.publish.test_s3 import BUCKET, make_public_bucket
from tests.system.documentation import DOCS, Reader, blocks_of

pytestmark = pytest.mark.slow

PAGE = DOCS / "how-to" / "publish.md"
STATED_STORE, STATED_BUCKET, STATED_SITE = "https://s3.example.org", "s3://my-bucket/", "https://data.example.org/"


@pytest.fixture
def store(monkeypatch) -> Iterator[str]:
    """The address of a store with one bucket, and the credentials for it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    make_public_bucket(f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield f"http://{host}:{port}"
    server.stop()


def test_the_blocks_that_publish_to_a_store_run(store, whole_archive, tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    shutil.copytree(whole_archive, folder / "archive")
    reader = Reader(folder, tmp_path)
    blocks = [block for block in blocks_of(PAGE) if "needs-server" in block.marks]
    assert len(blocks) == 2
    for block in blocks:
        code = block.code.replace(STATED_STORE, store).replace(STATED_BUCKET, f"s3://{BUCKET}/")
        code = code.replace(STATED_SITE, f"{store}/{BUCKET}/")
        assert "example.org" not in code
        reader.run(replace(block, code=code))
    (prefix,) = set(re.findall(rf"{re.escape(STATED_BUCKET)}(\S+)", blocks[0].code))
    published = httpx.get(f"{store}/{BUCKET}/{prefix}/manifest.json", trust_env=False)
    assert published.raise_for_status().content == (folder / "archive" / "manifest.json").read_bytes()
