"""The bill of materials of a release: what it needs to run, in CycloneDX 1.6 (ECMA-424) as JSON.

    python -m tools.sbom dist     # writes missent-VERSION.cdx.json, and requirements.txt: the same packages for pip

The same pyproject.toml and requirements.txt give the same bytes: the serial number follows from the content, and there
is no time but that of SOURCE_DATE_EPOCH, where it is set.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools import packages
from tools.packages import Locked, Package


def document(found: Sequence[Package], around: Mapping[str, str]) -> str:
    """The bill of materials. `around`: SOURCE_DATE_EPOCH, seconds since 1970, is the time that it gives."""
    project = packages.project()
    licences = LicenseFactory()
    own = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
        description=project["description"],
        licenses=[licences.make_from_string(project["license"])],
    )
    parts = {one.name: _components(one, licences) for one in found}
    serial = uuid5(NAMESPACE_URL, repr((project["version"], tuple(found))))
    bom = Bom(components=[part for some in parts.values() for part in some], serial_number=serial)
    bom.metadata.component = own
    epoch = around.get("SOURCE_DATE_EPOCH")
    bom.metadata.timestamp = datetime.fromtimestamp(int(epoch), UTC) if epoch else None  # type: ignore[assignment]
    direct = [name for name in parts if name in packages.direct(project["dependencies"])]
    bom.register_dependency(own, [part for name in direct for part in parts[name]])
    for one in found:
        for part in parts[one.name]:
            bom.register_dependency(part, [other for name in one.needs for other in parts[name]])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _components(one: Package, licences: LicenseFactory) -> list[Component]:
    return [_component(one, version, licences) for version in one.versions]


def _component(one: Package, locked: Locked, licences: LicenseFactory) -> Component:
    digests = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in locked.digests]
    served = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{one.name}/{locked.version}/"),
        comment="digests of all its files; the one that fits the platform is installed",
        hashes=digests,
    )
    home = [ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(one.home))] if one.home else []
    return Component(
        type=ComponentType.LIBRARY,
        name=one.name,
        version=locked.version,
        bom_ref=f"{one.name}=={locked.version}",
        description=one.summary,
        licenses=[licences.make_from_string(one.licence)],
        purl=PackageURL("pypi", None, one.name, locked.version),
        external_references=[served, *home],
        properties=[Property(name="missent:installed-when", value=locked.when)] if locked.when else [],
    )


if __name__ == "__main__":
    project, folder = packages.project(), Path(sys.argv[1])
    names = packages.wanted(project["dependencies"])
    bill = folder / f"missent-{project['version']}.cdx.json"
    bill.write_text(document(packages.installed(names), os.environ), "utf-8")
    (folder / "requirements.txt").write_text(packages.pinned(names), "utf-8")
