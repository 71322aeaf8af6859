# SPDX-License-Identifier: Apache-2.0
"""Which microversion a request is for, and how it is told: to the pods, and to the caller.

Compute and Block Storage differ in every detail; each is taken as its own service takes it.
Image and Network have no microversions; Placement is spoken to, and by nobody through us.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from trio2o.errors import BadRequest, NotAcceptable
from trio2o.model import Headers, Service

STANDARD = "OpenStack-API-Version"
LEGACY = "X-OpenStack-Nova-API-Version"
ROOT_STATUS = {Service.COMPUTE: 200, Service.VOLUME: 300, Service.IMAGE: 300}
"""Of GET on the service's root. Source: the services themselves, 34.0.0, 29.0.0, 33.0.0."""

_FORMAT = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)", re.ASCII)
# webob.exc.HTTPBadRequest@1.8: what cinder says when it has nothing to say
_MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect."
)


class Version(NamedTuple):
    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> "Version | None":
        """None if it is none: "latest", "", "2.01"."""
        found = _FORMAT.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None


FIRST = {Service.COMPUTE: Version(2, 1), Service.VOLUME: Version(3, 0)}
"""What a request without a version is for, and what every release speaks."""


@dataclass(frozen=True, slots=True)
class Range:
    """The microversions from ``low`` to ``high``, both included."""

    low: Version
    high: Version

    def __contains__(self, version: Version) -> bool:
        return self.low <= version <= self.high

    @classmethod
    def from_document(cls, document: object) -> "Range | None":
        """What a service's list of versions says; None if it speaks no microversions.

        Sources: nova/api/openstack/compute/versions.py@34.0.0, cinder/api/versions.py@29.0.0;
        placement/handlers/root.py@16.0.0 calls the high end ``max_version``.
        """
        entries = document.get("versions") if isinstance(document, dict) else None
        found = [
            cls(low, high)
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict)
            and (low := Version.parse(str(entry.get("min_version", ""))))
            and (high := Version.parse(str(entry.get("version") or entry.get("max_version", ""))))
        ]
        return max(found, key=lambda one: one.high, default=None)


def intersect(service: Service, ranges: Iterable[Range]) -> Range:
    """What all of them speak.

    Of none, or when they have nothing in common, the first version: a pod that has dropped
    even that says so itself.
    """
    ranges = list(ranges)
    first = FIRST[service]
    low = max((one.low for one in ranges), default=first)
    high = min((one.high for one in ranges), default=first)
    return Range(low, high) if low <= high else Range(first, first)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a request is for.

    pod_headers: tell it to a pod, names in lower case.
    reply_headers: tell it to the caller, on errors too.
    """

    version: str
    pod_headers: Headers
    reply_headers: tuple[tuple[str, str], ...]


def negotiate(service: Service, headers: Headers, offered: Range) -> Spoken:
    """The version that the request's headers (names in lower case) ask for.

    Several headers of one name are one, joined with commas (RFC 9110 section 5.3).

    Raises BadRequest, NotAcceptable, in the service's own words and with its own headers.
    """
    asked = _asked_of_nova(headers) if service is Service.COMPUTE else _asked_of_cinder(headers)
    if asked is None:
        return spoken(service, FIRST[service])
    if asked == "latest":
        return spoken(service, offered.high)
    version = Version.parse(asked)
    if version is None:
        raise BadRequest(
            f"API Version String {asked} is of invalid format. Must be of format "
            "MajorNum.MinorNum."
        )
    if version not in offered:
        # cinder tells no version that is older than its own API, nova any
        told = service is Service.COMPUTE or version >= FIRST[service]
        raise NotAcceptable(
            f"Version {version} is not supported by the API. Minimum is {offered.low} and "
            f"maximum is {offered.high}.",
            headers=spoken(service, version).reply_headers if told else (),
        )
    return spoken(service, version)


def _asked_of_nova(headers: Headers) -> str | None:
    """The last one counts, in any case of letters; a malformed one is passed over.

    Source: microversion_parse/__init__.py@2.1.0, get_version.
    """
    for one in reversed(headers.get("openstack-api-version", "").split(",")):
        words = one.split(None, 1)
        if len(words) == 2 and words[0].lower() == "compute":
            return words[1].strip()
    legacy = headers.get("x-openstack-nova-api-version")
    return None if legacy is None else legacy.split(",")[-1].strip()


def _asked_of_cinder(headers: Headers) -> str | None:
    """The first one counts whose service has ``volume`` in its name; there must be one.

    Source: cinder/api/openstack/wsgi.py@29.0.0, set_api_version_request. Where cinder breaks
    down with a 500, over "volume" without a version, this is a 400.
    """
    header = headers.get("openstack-api-version")
    if header is None:
        return None
    for one in header.split(","):
        if "volume" in one:
            words = one.split()
            if len(words) != 2:
                break
            return words[1]
    raise BadRequest(_MALFORMED)


@lru_cache(maxsize=1024)
def spoken(service: Service, version: Version) -> Spoken:
    """How ``version`` is told; always the number, since "latest" differs from pod to pod."""
    text = str(version)
    standard = f"{service} {text}"
    if service is Service.COMPUTE:
        return Spoken(
            text,
            {"openstack-api-version": standard, "x-openstack-nova-api-version": text},
            ((STANDARD, standard), (LEGACY, text), ("Vary", STANDARD), ("Vary", LEGACY)),
        )
    return Spoken(
        text, {"openstack-api-version": standard}, ((STANDARD, standard), ("Vary", STANDARD))
    )


@lru_cache(maxsize=4096)
def exists(since: str, until: str, version: str) -> bool:
    """Whether an operation of microversions ``since`` to ``until`` ("": open) is in ``version``.

    version: "" for a service without microversions, which has all its operations.
    """
    now = Version.parse(version)
    if now is None:
        return True
    low, high = Version.parse(since), Version.parse(until)
    return (low is None or low <= now) and (high is None or now <= high)


# ------------------------------------------------------------------ version documents


def versions(service: Service, base: str, offered: Range) -> dict[str, Any]:
    """Body of GET on the root of Compute or Block Storage.

    base: the gateway's URL of the service, without a version.
    """
    if service is Service.VOLUME:
        return {"versions": [_volume_v3(base, offered)]}
    entry = _compute_v21(base, offered)
    return {
        "versions": [
            {**{key: entry[key] for key in _COMPUTE_BRIEF}, "links": [_self(base, "v2.1")]}
        ]
    }


def version(service: Service, base: str, offered: Range) -> dict[str, Any]:
    """Body of GET on the version's root, /v2.1/ or /v3/; cinder shows the same list there."""
    if service is Service.VOLUME:
        return versions(service, base, offered)
    return {"version": _compute_v21(base, offered)}


def image_versions(base: str, offered: Iterable[str]) -> dict[str, Any]:
    """Body of GET on the root of Image, and on /versions.

    offered: as a pod names them, "v2.17", in any order; the newest is the current one.
    Source: glance/api/versions.py@33.0.0.
    """
    newest_first = sorted(
        offered, key=lambda one: [int(n) for n in re.findall(r"\d+", one)], reverse=True
    )
    return {
        "versions": [
            {
                "id": one,
                "status": "SUPPORTED" if place else "CURRENT",
                "links": [_self(base, "v2")],
            }
            for place, one in enumerate(newest_first)
        ]
    }


_COMPUTE_BRIEF = ("id", "status", "version", "min_version", "updated")


def _compute_v21(base: str, offered: Range) -> Mapping[str, Any]:
    # nova/api/openstack/compute/versions.py@34.0.0. Not v2.0: the gateway has no /v2.
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(offered.high),
        "min_version": str(offered.low),
        "updated": "2013-07-23T11:33:21Z",
        "links": [
            _self(base, "v2.1"),
            {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"},
        ],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.compute+json;version=2.1",
            }
        ],
    }


def _volume_v3(base: str, offered: Range) -> Mapping[str, Any]:
    # cinder/api/versions.py@29.0.0
    return {
        "id": "v3.0",
        "status": "CURRENT",
        "version": str(offered.high),
        "min_version": str(offered.low),
        "updated": "2023-08-31T00:00:00Z",
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            _self(base, "v3"),
        ],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.volume+json;version=3",
            }
        ],
    }


def _self(base: str, segment: str) -> dict[str, str]:
    return {"rel": "self", "href": f"{base.rstrip('/')}/{segment}/"}
