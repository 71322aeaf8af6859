# SPDX-License-Identifier: Apache-2.0
"""What bodies about servers must look like, by microversion.

Source: nova/api/openstack/compute/schemas/servers.py@34.0.0. Left out: accessIPv4's and
user_data's formats.
"""

from functools import lru_cache
from typing import Any

from trio2o.pods.fake.schema import Schema

NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
BOOLEAN: Schema = {"type": ["boolean", "string"]}
DISK_CONFIG: Schema = {"type": "string", "enum": ["AUTO", "MANUAL"]}
METADATA_ITEMS: Schema = {
    "type": "object",
    "patternProperties": {
        "^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255},
    },
    "additionalProperties": False,
}
TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
COUNT: Schema = {
    "type": ["integer", "string"],
    "pattern": "^[0-9]*$",
    "minimum": 1,
    "minLength": 1,
}
FLAVOR_REF: Schema = {"type": ["string", "integer"], "minLength": 1}


def _wrapped(key: str, inner: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {key: inner},
        "required": [key],
        "additionalProperties": False,
    }


METADATA = _wrapped("metadata", METADATA_ITEMS)
META = _wrapped("meta", METADATA_ITEMS)
TAGS = _wrapped("tags", {"type": "array", "items": TAG, "maxItems": 50})
RESIZE = _wrapped(
    "resize",
    {
        "type": "object",
        "properties": {"flavorRef": FLAVOR_REF, "OS-DCF:diskConfig": DISK_CONFIG},
        "required": ["flavorRef"],
        "additionalProperties": False,
    },
)
REBOOT = _wrapped(
    "reboot",
    {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}
        },
        "required": ["type"],
        "additionalProperties": False,
    },
)
CREATE_IMAGE = _wrapped(
    "createImage",
    {
        "type": "object",
        "properties": {"name": NAME, "metadata": METADATA_ITEMS},
        "required": ["name"],
        "additionalProperties": False,
    },
)

_DEVICE: dict[str, Any] = {
    "virtual_name": {"type": "string"},
    "volume_id": {"type": "string", "format": "uuid"},
    "snapshot_id": {"type": "string", "format": "uuid"},
    "volume_size": {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1},
    "device_name": {"type": "string", "minLength": 1, "maxLength": 255},
    "delete_on_termination": BOOLEAN,
    "no_device": {},
    "source_type": {"type": "string", "enum": ["volume", "image", "snapshot", "blank"]},
    "uuid": {"type": "string", "minLength": 1, "maxLength": 255},
    "image_id": {"type": "string", "format": "uuid"},
    "destination_type": {"type": "string", "enum": ["local", "volume"]},
    "guest_format": {"type": "string"},
    "device_type": {"type": "string"},
    "disk_bus": {"type": "string"},
    "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
}


def _devices(minor: int) -> Schema:
    known = dict(_DEVICE)
    if minor == 32 or minor >= 42:
        known["tag"] = TAG
    if minor >= 67:
        known["volume_type"] = {"type": ["string", "null"], "maxLength": 255}
    item = {"type": "object", "properties": known, "additionalProperties": False}
    return {"type": "array", "items": item}


def _networks(minor: int) -> Schema:
    known: dict[str, Any] = {
        "fixed_ip": {"type": "string"},
        "port": {"type": ["string", "null"], "format": "uuid"},
        "uuid": {"type": "string", "format": "uuid"} if minor >= 37 else {"type": "string"},
    }
    if 32 <= minor <= 36 or minor >= 42:
        known["tag"] = TAG
    item = {"type": "object", "properties": known, "additionalProperties": False}
    kinds = ["array", "string"] if minor >= 37 else "array"
    return {"type": kinds, "items": item}


@lru_cache
def create(minor: int) -> Schema:
    """Of POST /servers."""
    known: dict[str, Any] = {
        "name": NAME,
        "imageRef": {"type": "string"},
        "flavorRef": FLAVOR_REF,
        "adminPass": {"type": "string"},
        "metadata": METADATA_ITEMS,
        "networks": _networks(minor),
        "OS-DCF:diskConfig": DISK_CONFIG,
        "accessIPv4": {"type": "string"},
        "accessIPv6": {"type": "string"},
        "availability_zone": NAME,
        "block_device_mapping": {"type": "array"},
        "block_device_mapping_v2": _devices(minor),
        "config_drive": BOOLEAN,
        "key_name": NAME,
        "min_count": COUNT,
        "max_count": COUNT,
        "return_reservation_id": BOOLEAN,
        "security_groups": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": NAME},
                "additionalProperties": False,
            },
        },
        "user_data": {"type": "string", "maxLength": 65535},
    }
    if minor >= 19:
        known["description"] = {"type": ["string", "null"], "maxLength": 255}
    if minor >= 52:
        known["tags"] = TAGS["properties"]["tags"]
    if minor < 57:
        known["personality"] = {"type": "array"}
    if minor >= 63:
        known["trusted_image_certificates"] = {"type": ["array", "null"]}
    if minor >= 74:
        known["host"] = known["hypervisor_hostname"] = {"type": "string"}
    if minor >= 90:
        known["hostname"] = {"type": "string", "minLength": 1, "maxLength": 255}
    required = ["name", "flavorRef", *(["networks"] if minor >= 37 else [])]
    server = {
        "type": "object",
        "properties": known,
        "required": required,
        "additionalProperties": False,
    }
    hints = {"type": "object", "properties": {"group": {"type": ["string", "array"]}}}
    return {
        "type": "object",
        "properties": {
            "server": server,
            "os:scheduler_hints": hints,
            "OS-SCH-HNT:scheduler_hints": hints,
        },
        "required": ["server"],
        "additionalProperties": False,
    }


@lru_cache
def update(minor: int) -> Schema:
    """Of PUT /servers/{id}."""
    known: dict[str, Any] = {
        "name": NAME,
        "OS-DCF:diskConfig": DISK_CONFIG,
        "accessIPv4": {"type": "string"},
        "accessIPv6": {"type": "string"},
    }
    if minor >= 19:
        known["description"] = {"type": ["string", "null"], "maxLength": 255}
    if minor >= 90:
        known["hostname"] = {"type": "string", "minLength": 1, "maxLength": 255}
    if minor >= 104:
        known["pinned_availability_zone"] = {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": 255,
        }
    server = {"type": "object", "properties": known, "additionalProperties": False}
    return _wrapped("server", server)


def only(action: str) -> Schema:
    """Of an action whose value is not looked at."""
    return _wrapped(action, {})
