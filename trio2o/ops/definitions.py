# SPDX-License-Identifier: Apache-2.0
"""Facts about definitions: what is the same in every pod, and how one is recognised there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of definition.

    id_is_same: whether its id can be chosen, or is its name; otherwise pods are asked for
        the one of the same name.
    param: path parameter with the id.
    list_path, list_query, envelope: how a pod lists all of them, for an administrator.
    """

    id_is_same: bool
    param: str = ""
    list_path: str = ""
    list_query: str = ""
    envelope: str = ""


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
    ),
}
