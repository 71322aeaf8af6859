# SPDX-License-Identifier: Apache-2.0
"""What a request wants to be placed, read from its body and from its flavor or volume type."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trio2o import rewrite
from trio2o.capacity import Needed, needed_by, tags_of
from trio2o.model import Kind, Service
from trio2o.ops import Op


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be placed.

    zone: of the top region; "" for any.   pod_name: of a forced host "zone:pod@host".
    count: servers that must fit.
    definition: flavor's id, volume type's id or name; "" when there is none.
    grouped: a volume that goes into a group, whose zone Cinder takes, whatever is asked.
    tags, needed, extra_specs: what the definition says, once it is known (defined_by).
    """

    kind: Kind
    service: Service
    project_id: str
    zone: str = ""
    pod_name: str = ""
    count: int = 1
    size_gb: int = 0
    definition: str = ""
    boots_from_volume: bool = False
    grouped: bool = False
    tags: frozenset[str] = frozenset()
    needed: Needed = field(default_factory=Needed)
    extra_specs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, int]:
        """Resource classes and amounts of one server; empty until its flavor is known."""
        return self.needed.resources

    @property
    def definition_service(self) -> Service:
        return self.service

    @property
    def definition_path(self) -> str:
        """Where a pod shows the definition; "" when there is nothing to read."""
        if not self.definition:
            return ""
        if self.kind is Kind.SERVER:
            return f"/flavors/{self.definition}"
        # By name as well as by id, and Cinder shows one by its id only.
        return "/types" if self.kind is Kind.VOLUME else ""

    @property
    def definition_query(self) -> str:
        return "is_public=None" if self.kind is Kind.VOLUME else ""

    @property
    def definition_version(self) -> str:
        """Microversion header: a flavor shows its extra specs from 2.61 on."""
        return "compute 2.61" if self.kind is Kind.SERVER else ""

    def defined_by(self, document: Any) -> "Wish":
        """The wish with what the definition says; itself if ``document`` has it not."""
        if not isinstance(document, dict):
            return self
        if self.kind is Kind.SERVER:
            flavor = document.get("flavor")
            if not isinstance(flavor, dict):
                return self
            needed = needed_by(flavor, boots_from_volume=self.boots_from_volume)
            specs = flavor.get("extra_specs") or {}
            return replace(self, needed=needed, extra_specs=specs, tags=tags_of(specs))
        for volume_type in document.get("volume_types") or ():
            if self.definition in (volume_type.get("id"), volume_type.get("name")):
                specs = volume_type.get("extra_specs") or {}
                return replace(self, extra_specs=specs, tags=tags_of(specs))
        return self


def wish(op: Op, document: Any, query: str, project_id: str) -> Wish:  # noqa: ARG001
    """What the request wants to be placed; what it says wrongly, the pod will refuse."""
    kind = op.kind
    assert kind is not None  # noqa: S101  every CREATE row has one
    made = Wish(kind, op.service, project_id, zone=rewrite.wanted_zone(op, document))
    thing = document.get(kind.value) if isinstance(document, dict) else None
    if not isinstance(thing, dict):
        return made
    if kind is Kind.SERVER:
        zone = str(thing.get("availability_zone") or "")
        pod_name, at, _ = zone.partition(":")[2].partition("@")
        return replace(
            made,
            pod_name=pod_name if at else "",
            count=_positive(thing.get("min_count")) or 1,
            definition=str(thing.get("flavorRef") or "").rpartition("/")[2],
            boots_from_volume=_boots_from_volume(thing),
        )
    if kind is Kind.VOLUME:
        return replace(
            made,
            size_gb=_positive(thing.get("size")),
            definition=str(thing.get("volume_type") or ""),
            grouped=bool(thing.get("group_id") or thing.get("consistencygroup_id")),
        )
    return made


def _positive(value: Any) -> int:
    try:
        return max(0, int(value or 0))
    except (TypeError, ValueError):
        return 0


def _boots_from_volume(server: Mapping[str, Any]) -> bool:
    # nova/compute/api.py@34.0.0, _provision_instances: the root device is a volume
    mappings = server.get("block_device_mapping_v2")
    for mapping in mappings if isinstance(mappings, list) else ():
        if isinstance(mapping, dict) and str(mapping.get("boot_index")) == "0":
            return mapping.get("destination_type") == "volume"
    return not server.get("imageRef")
