# SPDX-License-Identifier: Apache-2.0
"""The contract of every list: order, paging, envelope. Rows name these."""

from dataclasses import replace

from trio2o.ops import Listing, SortStyle

_NEWEST = (("created_at", "desc"),)

# ---------------------------------------------------------------------- compute

SERVERS = Listing(
    "servers",
    "servers_links",
    sort=SortStyle.NOVA,
    default_sort=_NEWEST,
    tie=("uuid", "asc"),
    fields={
        "access_ip_v4": "accessIPv4",
        "access_ip_v6": "accessIPv6",
        "auto_disk_config": "OS-DCF:diskConfig",
        "availability_zone": "OS-EXT-AZ:availability_zone",
        "config_drive": "config_drive",
        "created_at": "created",
        "display_description": "description",
        "display_name": "name",
        "host": "OS-EXT-SRV-ATTR:host",
        "hostname": "OS-EXT-SRV-ATTR:hostname",
        "image_ref": "image.id",
        "instance_type_id": "flavor.id",
        "kernel_id": "OS-EXT-SRV-ATTR:kernel_id",
        "key_name": "key_name",
        "launch_index": "OS-EXT-SRV-ATTR:launch_index",
        "launched_at": "OS-SRV-USG:launched_at",
        "locked": "locked",
        "node": "OS-EXT-SRV-ATTR:hypervisor_hostname",
        "power_state": "OS-EXT-STS:power_state",
        "progress": "progress",
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
SERVERS_BRIEF = replace(SERVERS, ask="/servers/detail", brief=("id", "name", "links"))
SERVER_GROUPS = Listing("server_groups", offset=True, default_sort=(), tie=("id", "asc"))

# ----------------------------------------------------------------------- volume

VOLUMES = Listing(
    "volumes",
    "volumes_links",
    sort=SortStyle.CINDER,
    default_sort=_NEWEST,
    fields={
        "availability_zone": "availability_zone",
        "bootable": "bootable",
        "created_at": "created_at",
        "id": "id",
        "name": "name",
        "size": "size",
        "status": "status",
    },
    bad_marker_status=404,
    offset=True,
    count="count",
)
VOLUMES_BRIEF = replace(VOLUMES, ask="/volumes/detail", brief=("id", "name", "links"))
_PLAIN = {"created_at": "created_at", "id": "id", "name": "name", "status": "status"}
SNAPSHOTS = replace(VOLUMES, envelope="snapshots", links="snapshots_links", fields=_PLAIN)
SNAPSHOTS_BRIEF = SNAPSHOTS
BACKUPS = replace(VOLUMES, envelope="backups", links="backups_links", fields=_PLAIN)
BACKUPS_BRIEF = replace(BACKUPS, ask="/backups/detail", brief=("id", "name", "links"))
GROUPS = replace(VOLUMES, envelope="groups", links="group_links", fields=_PLAIN, count="")
GROUPS_BRIEF = replace(GROUPS, ask="/groups/detail", brief=("id", "name"))
GROUP_SNAPSHOTS = replace(GROUPS, envelope="group_snapshots", links="group_snapshot_links")
GROUP_SNAPSHOTS_BRIEF = replace(
    GROUP_SNAPSHOTS, ask="/group_snapshots/detail", brief=("id", "name", "group_type_id")
)
CONSISTENCY_GROUPS = replace(GROUPS, envelope="consistencygroups", links="consistencygroup_links")
CONSISTENCY_GROUPS_BRIEF = replace(
    CONSISTENCY_GROUPS, ask="/consistencygroups/detail", brief=("id", "name")
)
CGSNAPSHOTS = Listing(
    "cgsnapshots", fields=_PLAIN, default_sort=_NEWEST, bad_marker_status=404, offset=True
)
CGSNAPSHOTS_BRIEF = replace(CGSNAPSHOTS, ask="/cgsnapshots/detail", brief=("id", "name"))
ATTACHMENTS = replace(GROUPS, envelope="attachments", links="", fields={"id": "id"})
ATTACHMENTS_BRIEF = replace(
    ATTACHMENTS, ask="/attachments/detail", brief=("id", "status", "instance", "volume_id")
)
MESSAGES = replace(GROUPS, envelope="messages", links="messages_links")
TRANSFERS = replace(GROUPS, envelope="transfers", links="transfers_links", fields=_PLAIN)
_TRANSFER_BRIEF = ("id", "volume_id", "name", "links")
TRANSFERS_BRIEF = replace(TRANSFERS, ask="/volume-transfers/detail", brief=_TRANSFER_BRIEF)
OLD_TRANSFERS = replace(
    TRANSFERS, sort=SortStyle.FIXED, default_sort=(("created_at", "asc"),), tie=("id", "asc")
)
OLD_TRANSFERS_BRIEF = replace(
    OLD_TRANSFERS, ask="/os-volume-transfer/detail", brief=_TRANSFER_BRIEF
)

# ------------------------------------------------------------------------ image

IMAGES = Listing(
    "images",
    "next",
    sort=SortStyle.GLANCE,
    default_sort=_NEWEST,
    fields={
        key: key
        for key in (
            "name",
            "status",
            "container_format",
            "disk_format",
            "size",
            "id",
            "created_at",
            "updated_at",
        )
    },
    default_limit=25,
)
