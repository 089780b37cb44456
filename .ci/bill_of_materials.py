"""What a wheel brings with it: the packages it needs at run time, their licenses, and a bill of materials of all that.

    python .ci/bill_of_materials.py WHEEL LOCK >BILL

prints CycloneDX 1.6 as JSON. Run it in an environment made from the lock; the same wheel and lock give the same bytes
on the same platform, without a date. It ends with 1 where a license is not in `ALLOWED`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# SPDX identifiers that may come along with software under Apache-2.0, linked or beside it.
ALLOWED = frozenset(
    {"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "PSF-2.0", "Unlicense", "0BSD"}
)
# What packages wrote before PEP 639 gave them SPDX expressions: the ends of classifiers, and free text.
_OLDER = {
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)[^\n]*\\\n(?P<hashes>(?: +--hash=\S+(?: \\)?\n)+)", re.MULTILINE
)


def needed(requirements: Iterable[str]) -> list[str]:
    """The names of the packages that requirements name on this platform, without those of extras."""
    wanted = [Requirement(text) for text in requirements]
    return sorted(
        {canonicalize_name(one.name) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    )


def closure(requirements: Iterable[str]) -> dict[str, list[str]]:
    """Every installed package that requirements lead to, with those that it needs itself."""
    found: dict[str, list[str]] = {}
    waiting = needed(requirements)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = needed(distribution(name).requires or ())
            waiting += found[name]
    return dict(sorted(found.items()))


def license_of(about: Message) -> str:
    """The license of a package as an SPDX expression, from its metadata; as written where that is no known form."""
    expression = about["License-Expression"]
    if expression:
        return str(expression)
    classifiers = [str(line) for line in about.get_all("Classifier", ()) if line.startswith("License :: OSI")]
    written = [line.rpartition(" :: ")[2] for line in classifiers] or [str(about["License"] or "").strip()]
    return " AND ".join(_OLDER.get(one, one) for one in written)


def refused(expression: str) -> list[str]:
    """The identifiers in an expression that are not allowed; of alternatives, all must be."""
    named = re.split(r"[\s()]+(?:AND|OR|WITH)?[\s()]*", expression.strip("() "))
    return [one for one in named if one not in ALLOWED]


def pins(lock: str) -> dict[tuple[str, str], list[str]]:
    """The SHA-256 sums of the files of every package in a lock, by name and version: a name may have several."""
    return {
        (canonicalize_name(pin["name"]), pin["version"]): re.findall(r"sha256:(\w{64})", pin["hashes"])
        for pin in _PIN.finditer(lock)
    }


def bill(wheel: Path, lock: str) -> dict[str, Any]:
    """The bill of materials of a wheel.

    Raises:
        ValueError: what is installed is not what the lock says.
    """
    about = _metadata(wheel)
    requirements = about.get_all("Requires-Dist", ())
    packages, locked = closure(requirements), pins(lock)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    itself = _component(about, "application") | {"hashes": [{"alg": "SHA-256", "content": digest}]}
    components = []
    refs = {name: _purl(distribution(name).metadata) for name in packages}
    for name in packages:
        installed = distribution(name)
        version = installed.version
        if (name, version) not in locked:
            raise ValueError(f"{name} {version} is installed, which the lock does not have")
        source: Mapping[str, Any] = {
            "type": "distribution",
            "url": f"https://pypi.org/project/{name}/{version}/",
            "hashes": [{"alg": "SHA-256", "content": one} for one in locked[name, version]],
        }
        components.append(_component(installed.metadata, "library") | {"externalReferences": [source]})
    edges = {itself["bom-ref"]: needed(requirements)} | {refs[name]: packages[name] for name in packages}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest + lock)}",
        "version": 1,
        "metadata": {"component": itself},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": [refs[name] for name in names]} for ref, names in edges.items()],
    }


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(packed.read(name).decode())


def _purl(about: Any) -> str:
    return f"pkg:pypi/{canonicalize_name(about['Name'])}@{about['Version']}"


def _component(about: Any, kind: str) -> dict[str, Any]:
    purl = _purl(about)
    return {
        "type": kind,
        "bom-ref": purl,
        "name": canonicalize_name(about["Name"]),
        "version": about["Version"],
        "purl": purl,
        "licenses": [{"expression": license_of(about)}],
    }


def main(wheel: str, lock: str) -> int:
    """Print the bill; 1 where a license is refused."""
    made = bill(Path(wheel), Path(lock).read_text("utf-8"))
    print(json.dumps(made, indent=2))
    bad = {part["name"]: part["licenses"][0]["expression"] for part in made["components"]}
    bad = {name: expression for name, expression in bad.items() if refused(expression)}
    for name, expression in bad.items():
        print(f"{name}: {expression} is not a license we take", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
