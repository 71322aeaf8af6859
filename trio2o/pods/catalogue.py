# SPDX-License-Identifier: Apache-2.0
"""Which endpoint a region has for each service: reading Keystone's catalogue. No I/O."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from trio2o.model import Service

from .client import PROJECT

TYPES = {
    Service.COMPUTE: ("compute",),
    Service.VOLUME: ("block-storage", "volumev3"),
    Service.IMAGE: ("image",),
    Service.NETWORK: ("network",),
    Service.PLACEMENT: ("placement",),
    Service.IDENTITY: ("identity",),
}
"""Service types in the catalogue, the preferred one first; older types are of older APIs."""

_TEMPLATE = re.compile(r"[$%]\((?:project|tenant)_id\)s?")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Endpoints by region and service.

    urls: without a trailing slash; ``{project_id}`` where the caller's project goes.
    problems: what is wrong with the entries of a region and service, for an operator.
    interfaces: those that a region and service have at all.
    """

    urls: Mapping[tuple[str, Service], str] = field(default_factory=dict)
    problems: Mapping[tuple[str, Service], str] = field(default_factory=dict)
    interfaces: Mapping[tuple[str, Service], frozenset[str]] = field(default_factory=dict)

    @property
    def regions(self) -> frozenset[str]:
        return frozenset(region for region, _ in self.interfaces)


def read(entries: Iterable[Mapping[str, Any]], *, interface: str, project_id: str) -> Catalogue:
    """The catalogue of a token.

    entries: ``catalog`` of GET /v3/auth/catalog.
    project_id: of that token; Keystone has put it where the endpoint's template has a project.
    """
    found: dict[tuple[str, Service, str], set[str]] = defaultdict(set)
    interfaces: dict[tuple[str, Service], set[str]] = defaultdict(set)
    services = {name: service for service, names in TYPES.items() for name in names}
    for entry in entries:
        service = services.get(entry.get("type", ""))
        if service is None:
            continue
        for endpoint in entry.get("endpoints", ()):
            region = endpoint.get("region_id") or endpoint.get("region") or ""
            interfaces[region, service].add(endpoint["interface"])
            if endpoint["interface"] == interface:
                found[region, service, entry["type"]].add(endpoint["url"])
    urls: dict[tuple[str, Service], str] = {}
    problems: dict[tuple[str, Service], str] = {}
    for region, service in interfaces:
        kind, choice = next(
            (
                (kind, found[region, service, kind])
                for kind in TYPES[service]
                if found.get((region, service, kind))
            ),
            ("", set()),
        )
        good = sorted(_clean(url, project_id) for url in choice if well_formed(url))
        if len(good) != len(choice):
            bad = sorted(url for url in choice if not well_formed(url))
            problems[region, service] = (
                f"the {interface} endpoint of service type {kind} in region {region} is no URL "
                f"that can be used: {', '.join(bad)}"
            )
        elif len(set(good)) > 1:
            problems[region, service] = (
                f"service type {kind} has {len(good)} {interface} endpoints in region {region}: "
                f"{', '.join(good)}; the first is used, remove the others"
            )
        if good:
            urls[region, service] = good[0]
    return Catalogue(urls, problems, {key: frozenset(names) for key, names in interfaces.items()})


def missing(catalogue: Catalogue, region: str, service: Service, interface: str) -> str:
    """Why ``service`` has no usable endpoint in ``region``; "" when it has one."""
    if (region, service) in catalogue.urls:
        return ""
    if (region, service) in catalogue.problems:
        return catalogue.problems[region, service]
    kinds = " or ".join(TYPES[service])
    there = catalogue.interfaces.get((region, service))
    also = f" (it has {', '.join(sorted(there))})" if there else ""
    return (
        f"service type {kinds} has no endpoint with interface {interface} in region {region}{also}"
    )


def well_formed(url: str) -> bool:
    """Whether ``url`` is an http or https URL of a host, without user, query and fragment."""
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        port_is_one
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and not parts.query
        and not parts.fragment
        and url.isascii()
        and url.isprintable()
        and " " not in url
    )


def _clean(url: str, project_id: str) -> str:
    url = _TEMPLATE.sub(PROJECT, url).rstrip("/")
    if project_id:
        url = re.sub(rf"(?<=/){re.escape(project_id)}$", PROJECT, url)
    return url
