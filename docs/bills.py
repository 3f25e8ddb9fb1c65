"""Bills of materials (CycloneDX 1.6): what the run-time lock installs, and what the browser build holds.

The licences of the browser's packages stand in no lock: `python docs/bills.py NODE_MODULES` takes them from an
installation of it (`npm ci --omit=dev --ignore-scripts`), and they are kept in the bill.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.licences import licence_of, locked_packages  # noqa: E402 - the documentation is no package of the environment

PYTHON_BILL, BROWSER_BILL = "sbom/python.cdx.json", "sbom/browser.cdx.json"
BROWSER_LOCK = ROOT / "catalog" / "serve" / "stac_browser_build" / "package-lock.json"

_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of addresses (RFC 9562)


def bill_of_python(lock: str, code_version: str) -> str:
    """CycloneDX JSON of a lock file's text: each package with its licence as installed.

    Parameters
    ----------
    lock : requirements with hashes.
    code_version : of this software.
    """
    components = [
        _component("pypi", package.name, package.version, licence_of(package.name)) for package in locked_packages(lock)
    ]
    return _document("glacier-archive", code_version, {one["bom-ref"]: one for one in components}.values())


def bill_of_browser(lock: str, licences: dict[str, str]) -> str:
    """CycloneDX JSON of an npm lock: the packages that are in the built pages, not the tools that build them.

    Parameters
    ----------
    lock : ``package-lock.json``.
    licences : by ``name@version``, as the packages state them.
    """
    content = json.loads(lock)
    components = {}
    for path, entry in content["packages"].items():
        if path and not entry.get("dev"):
            name = path.rpartition("node_modules/")[2]
            licence = licences.get(f"{name}@{entry['version']}", "")
            component = _component("npm", name, entry["version"], licence)
            algorithm, _, digest = entry["integrity"].partition("-")
            content_hash = base64.b64decode(digest).hex()
            component["hashes"] = [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": content_hash}]
            components[component["bom-ref"]] = component
    return _document("stac-browser", content["version"], components.values())


def _component(kind: str, name: str, version: str, licence: str) -> dict[str, Any]:
    reference = f"pkg:{kind}/{quote(name, safe='/')}@{quote(version)}"
    stated = {"expression": licence} if _SPDX.fullmatch(licence) else {"license": {"name": licence}}
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
        **({"licenses": [stated]} if licence else {}),
    }


def _document(name: str, version: str, components: Iterable[dict[str, Any]]) -> str:
    listed = sorted(components, key=lambda component: str(component["bom-ref"]))
    text = json.dumps(listed, sort_keys=True)
    content = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, text)}",  # of what it lists, so that it is the same again
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": name, "version": version}},
        "components": listed,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def licences_in(bill: str) -> dict[str, str]:
    """The licences that a bill states, by ``name@version``."""
    stated = {}
    for component in json.loads(bill)["components"]:
        for licence in component.get("licenses", ()):
            name = licence.get("expression") or licence["license"]["name"]
            stated[f"{component['name']}@{component['version']}"] = name
    return stated


def installed_licences(node_modules: Path) -> dict[str, str]:
    """The licences that installed npm packages state, by ``name@version``."""
    stated = {}
    for path in sorted(node_modules.rglob("package.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        licence = about.get("license") or about.get("licenses")
        if isinstance(licence, list):
            licence = " OR ".join(str(one.get("type", "")) for one in licence)
        licence = licence.get("type", "") if isinstance(licence, dict) else licence
        if licence and about.get("name") and about.get("version"):
            stated[f"{about['name']}@{about['version']}"] = str(licence).strip("()")
    return stated


def browser_licences(bill: str) -> str:
    """Markdown: every package of the browser build with version and licence."""
    lines = [
        "",
        "## Licences in STAC Browser",
        "",
        "What `serve --browser` builds holds these packages, as its lock names them.",
        "",
        "| package | version | licence |",
        "| --- | --- | --- |",
    ]
    licences = licences_in(bill)
    for component in json.loads(bill)["components"]:
        licence = licences.get(f"{component['name']}@{component['version']}", "not stated").replace("|", "\\|")
        lines.append(f"| {component['name']} | {component['version']} | {licence} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = ROOT / "docs" / BROWSER_BILL
    target.parent.mkdir(exist_ok=True)
    lock = BROWSER_LOCK.read_text(encoding="utf-8")
    target.write_text(bill_of_browser(lock, installed_licences(Path(sys.argv[1]))), encoding="utf-8")
