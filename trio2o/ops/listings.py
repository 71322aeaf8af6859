# SPDX-License-Identifier: Apache-2.0
"""The contract of every list: order, paging, envelope. Rows name these.

``fields`` has the sort keys whose value an item shows as it is sorted. A key that is legal but
not there (Nova's ``instance_type_id`` is an internal number, ``auto_disk_config`` a text that
sorts otherwise) leaves each pod's own order, pod after pod.
"""

from dataclasses import replace

from trio2o.ops import Listing, SortStyle


def _brief(listing: Listing, ask: str, *shown: str) -> Listing:
    """The list of few fields, made from the detailed one at ``ask``."""
    older = listing.older
    return replace(
        listing,
        ask=ask,
        brief=shown,
        older=(older[0], _brief(older[1], ask, *shown)) if older else None,
    )


def _paged_since(version: str, listing: Listing) -> Listing:
    """``listing``; before ``version`` it had no pages and no sort keys."""
    before = replace(listing, links="", sort=SortStyle.FIXED, marker_field="", whole=True)
    return replace(listing, older=(version, before))


# ---------------------------------------------------------------------- compute
# nova/api/openstack/compute/schemas/servers.py VALID_SORT_KEYS*, views/servers.py, and
# nova/compute/instance_list.py InstanceSortContext@34.0.0: uuid ascending is always the last.

SERVERS = Listing(
    "servers",
    "servers_links",
    sort=SortStyle.NOVA,
    tie=("uuid", "asc"),
    fields={
        "access_ip_v4": "accessIPv4",
        "access_ip_v6": "accessIPv6",
        "availability_zone": "OS-EXT-AZ:availability_zone",
        "config_drive": "config_drive",
        "created_at": "created",
        "display_description": "description",
        "display_name": "name",
        "host": "OS-EXT-SRV-ATTR:host",
        "hostname": "OS-EXT-SRV-ATTR:hostname",
        "image_ref": "image.id",
        "kernel_id": "OS-EXT-SRV-ATTR:kernel_id",
        "key_name": "key_name",
        "launch_index": "OS-EXT-SRV-ATTR:launch_index",
        "launched_at": "OS-SRV-USG:launched_at",
        "locked": "locked",
        "node": "OS-EXT-SRV-ATTR:hypervisor_hostname",
        "power_state": "OS-EXT-STS:power_state",
        "project_id": "tenant_id",
        "ramdisk_id": "OS-EXT-SRV-ATTR:ramdisk_id",
        "root_device_name": "OS-EXT-SRV-ATTR:root_device_name",
        "task_state": "OS-EXT-STS:task_state",
        "terminated_at": "OS-SRV-USG:terminated_at",
        "updated_at": "updated",
        "user_id": "user_id",
        "uuid": "id",
        "vm_state": "OS-EXT-STS:vm_state",
    },
)
SERVERS_BRIEF = _brief(SERVERS, "/servers/detail", "id", "name", "links")
# nova/api/openstack/compute/server_groups.py@34.0.0: as the database gives them; no marker.
SERVER_GROUPS = Listing("server_groups", default_sort=(), marker_field="", offset=True)

# ----------------------------------------------------------------------- volume
# cinder/api/common.py get_sort_params, cinder/db/api.py process_sort_params@29.0.0: any column
# is a sort key; created_at and id follow, in the direction of the first key. The views are in
# cinder/api/views and cinder/api/v3/views. The keys of the links are as irregular as here.

_PLAIN = {
    "created_at": "created_at",
    "display_description": "description",
    "display_name": "name",
    "id": "id",
    "name": "name",
    "status": "status",
}
VOLUMES = Listing(
    "volumes",
    "volumes_links",
    sort=SortStyle.CINDER,
    fields={
        **_PLAIN,
        "availability_zone": "availability_zone",
        "bootable": "bootable",
        "consistencygroup_id": "consistencygroup_id",
        "group_id": "group_id",
        "host": "os-vol-host-attr:host",
        "multiattach": "multiattach",
        "project_id": "os-vol-tenant-attr:tenant_id",
        "replication_status": "replication_status",
        "size": "size",
        "snapshot_id": "snapshot_id",
        "source_volid": "source_volid",
        "updated_at": "updated_at",
        "user_id": "user_id",
    },
    bad_marker_status=404,
    offset=True,
    count="count",
)
VOLUMES_BRIEF = _brief(VOLUMES, "/volumes/detail", "id", "name", "links")

SNAPSHOTS = replace(
    VOLUMES,
    envelope="snapshots",
    links="snapshots_links",
    fields={
        **_PLAIN,
        "project_id": "os-extended-snapshot-attributes:project_id",
        "updated_at": "updated_at",
        "volume_id": "volume_id",
        "volume_size": "size",
    },
)
# cinder/api/views/snapshots.py summary(): all that one sorts by.
SNAPSHOTS_BRIEF = SNAPSHOTS

BACKUPS = replace(
    VOLUMES,
    envelope="backups",
    links="backups_links",
    fields={
        **_PLAIN,
        "availability_zone": "availability_zone",
        "container": "container",
        "data_timestamp": "data_timestamp",
        "object_count": "object_count",
        "size": "size",
        "snapshot_id": "snapshot_id",
        "updated_at": "updated_at",
        "volume_id": "volume_id",
    },
)
BACKUPS_BRIEF = _brief(BACKUPS, "/backups/detail", "id", "name", "links")

GROUPS = replace(
    VOLUMES,
    envelope="groups",
    links="group_links",
    fields={**_PLAIN, "availability_zone": "availability_zone", "project_id": "project_id"},
    count="",
)
GROUPS_BRIEF = _brief(GROUPS, "/groups/detail", "id", "name")
GROUP_SNAPSHOTS = _paged_since(
    "3.29",
    replace(
        GROUPS,
        envelope="group_snapshots",
        links="group_snapshot_links",
        fields={**_PLAIN, "group_id": "group_id", "group_type_id": "group_type_id"},
    ),
)
GROUP_SNAPSHOTS_BRIEF = _brief(GROUP_SNAPSHOTS, "/group_snapshots/detail", "id", "name")
CONSISTENCY_GROUPS = replace(GROUPS, envelope="consistencygroups", links="consistencygroup_links")
CONSISTENCY_GROUPS_BRIEF = _brief(CONSISTENCY_GROUPS, "/consistencygroups/detail", "id", "name")
# cinder/api/contrib/cgsnapshots.py@29.0.0: limit and offset only, newest first.
CGSNAPSHOTS = Listing(
    "cgsnapshots", fields={"created_at": "created_at", "id": "id"}, marker_field="", offset=True
)
CGSNAPSHOTS_BRIEF = _brief(CGSNAPSHOTS, "/cgsnapshots/detail", "id", "name")

# cinder/api/v3/views/attachments.py@29.0.0: the time of creation is not shown, there are no
# links, and the detailed form has secrets that a brief list needs not fetch.
_ATTACHMENT = {
    "attach_status": "status",
    "id": "id",
    "instance_uuid": "instance",
    "volume_id": "volume_id",
}
ATTACHMENTS = replace(
    GROUPS,
    envelope="attachments",
    links="",
    fields={
        **_ATTACHMENT,
        "attach_mode": "attach_mode",
        "attach_time": "attached_at",
        "detach_time": "detached_at",
    },
)
ATTACHMENTS_BRIEF = replace(ATTACHMENTS, fields=_ATTACHMENT)

MESSAGES = _paged_since(
    "3.5",
    replace(
        GROUPS,
        envelope="messages",
        links="messages_links",
        fields={
            "created_at": "created_at",
            "event_id": "event_id",
            "expires_at": "guaranteed_until",
            "id": "id",
            "message_level": "message_level",
            "request_id": "request_id",
            "resource_type": "resource_type",
            "resource_uuid": "resource_uuid",
        },
    ),
)

# cinder/api/contrib/volume_transfer.py@29.0.0: oldest first. It takes limit and offset for
# filters, which no transfer passes: asked with them it lists nothing.
OLD_TRANSFERS = Listing(
    "transfers",
    default_sort=(("created_at", "asc"),),
    fields={"created_at": "created_at", "id": "id"},
    marker_field="",
    offset=True,
    whole=True,
)
_TRANSFER = ("id", "volume_id", "name", "links")
OLD_TRANSFERS_BRIEF = _brief(OLD_TRANSFERS, "/os-volume-transfer/detail", *_TRANSFER)
# cinder/api/v3/volume_transfer.py@29.0.0: the same below 3.59.
TRANSFERS = replace(
    GROUPS,
    envelope="transfers",
    links="transfers_links",
    fields={
        "created_at": "created_at",
        "display_name": "name",
        "id": "id",
        "volume_id": "volume_id",
    },
    older=("3.59", OLD_TRANSFERS),
)
TRANSFERS_BRIEF = _brief(TRANSFERS, "/volume-transfers/detail", *_TRANSFER)

# ------------------------------------------------------------------------ image
# glance/api/v2/images.py@33.0.0, RequestDeserializer and ResponseSerializer: the links are
# paths without a host.

IMAGES = Listing(
    "images",
    "next",
    sort=SortStyle.GLANCE,
    fields={
        "container_format": "container_format",
        "created_at": "created_at",
        "disk_format": "disk_format",
        "id": "id",
        "name": "name",
        "size": "size",
        "status": "status",
        "updated_at": "updated_at",
    },
    default_limit=25,
)
