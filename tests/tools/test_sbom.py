"""The bill of materials: valid, whole, and the same bytes wherever and whenever it is made."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import packages, sbom
from tools.packages import Package


@pytest.fixture(scope="module")
def found() -> list[Package]:
    return packages.installed(packages.wanted(packages.project()["dependencies"]))


def test_it_is_valid(found: list[Package]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.document(found, {})) is None


def test_it_names_everything_that_is_needed_in_its_locked_version(found: list[Package]) -> None:
    bill = json.loads(sbom.document(found, {}))
    named = {(one["name"], one["version"]): one for one in bill["components"]}
    names = {name for name, _ in named}
    assert packages.direct(packages.project()["dependencies"]) < names == {one.name for one in found}
    locked = packages.locked()
    assert set(named) == {(name, one.version) for name in names for one in locked[name]}
    for (name, version), one in named.items():
        digests = next(each.digests for each in locked[name] if each.version == version)
        assert one["purl"] == f"pkg:pypi/{name}@{version}"
        assert [hashed["content"] for hashed in one["externalReferences"][0]["hashes"]] == list(digests) != []
        assert one["licenses"], name
    assert {one["ref"] for one in bill["dependencies"]} == {one["bom-ref"] for one in named.values()} | {"missent"}
    assert "hypothesis" not in names, "development packages are no part of a release"


def test_the_same_bytes_each_time(found: list[Package]) -> None:
    first = sbom.document(found, {})
    again = packages.installed(packages.wanted(list(reversed(packages.project()["dependencies"]))))
    assert sbom.document(again, {}) == first
    assert "timestamp" not in json.loads(first)["metadata"]
    dated = json.loads(sbom.document(found, {"SOURCE_DATE_EPOCH": "1700000000"}))
    assert dated["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert dated["serialNumber"] == json.loads(first)["serialNumber"]


def test_another_content_has_another_number(found: list[Package]) -> None:
    other = [replace(found[0], licence="MIT-0"), *found[1:]]
    assert json.loads(sbom.document(other, {}))["serialNumber"] != json.loads(sbom.document(found, {}))["serialNumber"]


def test_every_licence_is_stated(found: list[Package]) -> None:
    assert {one.name for one in found if one.licence == "Public Domain"} == packages.PUBLIC_DOMAIN
    project = packages.project()
    cluster = packages.wanted(project["optional-dependencies"]["cluster"])
    assert set(packages.STATED) <= {one.name for one in found} | cluster, "what is no longer needed needs no statement"
