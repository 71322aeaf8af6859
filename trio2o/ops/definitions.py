# SPDX-License-Identifier: Apache-2.0
"""Facts about definitions: what is the same in every pod, and how one is recognised there."""

from dataclasses import dataclass

from trio2o.model import Service


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of definition.

    id_is_same: whether its id can be chosen, or is its name; otherwise pods are asked for
        the one of the same name.
    param: path parameter with the id.
    list_path, list_query, envelope: how a pod lists all of them, for an administrator.
    since: the microversion of that list.
    """

    id_is_same: bool
    param: str = ""
    list_path: str = ""
    list_query: str = ""
    envelope: str = ""
    since: str = "3.0"


DEFINITIONS = {
    "flavor": Definition(id_is_same=True),
    "keypair": Definition(id_is_same=True),
    "metadef": Definition(id_is_same=True),
    "default_type": Definition(id_is_same=True),
    "volume_type": Definition(
        id_is_same=False,
        param="volume_type",
        list_path="/types",
        list_query="is_public=None",
        envelope="volume_types",
    ),
    "qos_specs": Definition(
        id_is_same=False, param="qos_specs", list_path="/qos-specs", envelope="qos_specs"
    ),
    "group_type": Definition(
        id_is_same=False,
        param="group_type",
        list_path="/group_types",
        list_query="is_public=None",
        envelope="group_types",
        since="3.11",
    ),
}


@dataclass(frozen=True, slots=True)
class Named:
    """A place in a request's body that names a definition, by its id or its name.

    at: path in the body, as in ops.Ref.
    """

    at: tuple[str, ...]
    definition: str


# cinder/api/v3/volumes.py, groups.py and contrib/volume_actions.py@29.0.0; Nova hands the type
# of a block device (2.67 and later) to Cinder as it came.
NAMED: dict[tuple[Service, str, str, str], tuple[Named, ...]] = {
    (Service.VOLUME, "POST", "/volumes", ""): (Named(("volume", "volume_type"), "volume_type"),),
    (Service.VOLUME, "POST", "/volumes/{volume}/action", "os-retype"): (
        Named(("os-retype", "new_type"), "volume_type"),
    ),
    (Service.VOLUME, "POST", "/groups", ""): (
        Named(("group", "group_type"), "group_type"),
        Named(("group", "volume_types", "[]"), "volume_type"),
    ),
    (Service.VOLUME, "PUT", "/default-types/{project}", ""): (
        Named(("default_type", "volume_type"), "volume_type"),
    ),
    (Service.COMPUTE, "POST", "/servers", ""): (
        Named(("server", "block_device_mapping_v2", "[]", "volume_type"), "volume_type"),
    ),
}
