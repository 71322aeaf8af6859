# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501  one row, one line
"""Every operation of Nova's API (34.0.0, microversions 2.1 to 2.104).

Rows are compared with Nova's own router by tests/conformance/test_tables.py. What is not here:
the unversioned root and the legacy /v2, which are above the version that paths are below.
"""

from trio2o.model import Service
from trio2o.ops import AnswerName, FoldName, Op, Ref, table
from trio2o.ops.listings import SERVER_GROUPS, SERVERS, SERVERS_BRIEF
from trio2o.ops.words import (
    AGGREGATE,
    BY_ID,
    BY_POD,
    BY_REF,
    CONSOLE_TOKEN,
    CREATE,
    GONE,
    IMAGE,
    LIST,
    LOCAL,
    NETWORK,
    PORT,
    QUOTA,
    REFUSED,
    REPLICATED,
    SERVER,
    SERVER_GROUP,
    SNAPSHOT,
    SPLIT,
    VOLUME,
)

VERSION, EXTENSIONS, EXTENSION = AnswerName.VERSION, AnswerName.EXTENSIONS, AnswerName.EXTENSION
COMPUTE_LIMITS, ZONES = FoldName.COMPUTE_LIMITS, FoldName.ZONES
TENANT_USAGES, TENANT_USAGE = FoldName.TENANT_USAGES, FoldName.TENANT_USAGE
HYPERVISOR_STATISTICS = FoldName.HYPERVISOR_STATISTICS
USAGE_AUDIT_LOG = FoldName.USAGE_AUDIT_LOG

# webob/exc.py HTTPGone.explanation, which Nova leaves as it is but for its spaces.
REMOVED = "This resource is no longer available. No forwarding address is given."
# webob/exc.py HTTPBadRequest.explanation: nova/api/openstack/compute/remote_consoles.py@34.0.0.
NO_RDP = (
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect."
)
IMAGE_API = "Nova's proxy to the Image API is not offered: use the Image API itself."
VOLUME_API = "Nova's proxy to the Block Storage API is not offered: use that API itself."
NETWORK_API = "Nova's proxy to the Networking API is not offered: use that API itself."
BAREMETAL_API = "Nova's proxy to the Bare Metal API is not offered: use that API itself."

NEW_IMAGE = "image_id|location"  # the body from 2.45 on, the header before

# Errors: nova/exception.py, as nova/api/openstack/compute/servers.py@34.0.0 create() gives them.
_BDM_VOLUME = "Block Device Mapping is Invalid: failed to get volume {id}."
_BDM_IMAGE = "Block Device Mapping is Invalid: failed to get image {id}."
_NO_PORT = "Port id {id} could not be found."
_OLD, _NEW = "server.block_device_mapping[]", "server.block_device_mapping_v2[]"

BOOT = (
    Ref("server.imageRef", IMAGE, missing="Can not find requested image"),
    # nova/block_device.py from_api@34.0.0: the new form reads no id but uuid.
    Ref(f"{_NEW}.uuid", VOLUME, when=("source_type", "volume"), missing=_BDM_VOLUME),
    Ref(f"{_NEW}.uuid", SNAPSHOT, when=("source_type", "snapshot")),
    Ref(f"{_NEW}.uuid", IMAGE, when=("source_type", "image"), missing=_BDM_IMAGE),
    Ref(f"{_OLD}.volume_id", VOLUME, missing=_BDM_VOLUME),
    Ref(f"{_OLD}.snapshot_id", SNAPSHOT),
    Ref("server.networks[].uuid", NETWORK),
    Ref("server.networks[].port", PORT, missing=_NO_PORT),
    # nova/api/openstack/compute/servers.py@34.0.0: both names of the hints are read.
    Ref("os:scheduler_hints.group", SERVER_GROUP),
    Ref("os:scheduler_hints.same_host", SERVER, loose=True),
    Ref("OS-SCH-HNT:scheduler_hints.group", SERVER_GROUP),
    Ref("OS-SCH-HNT:scheduler_hints.same_host", SERVER, loose=True),
)
REBUILD = (Ref("rebuild.imageRef", IMAGE, missing="Cannot find image for rebuild"),)
RESCUE = (
    Ref(
        "rescue.rescue_image_ref",
        IMAGE,
        missing="Requested rescue image '{id}' is not supported",
    ),
)
PLUG = (
    Ref("interfaceAttachment.net_id", NETWORK, missing_status=404),
    Ref("interfaceAttachment.port_id", PORT, missing=_NO_PORT, missing_status=404),
)
ADD_FIXED_IP = (Ref("addFixedIp.networkId", NETWORK, loose=True),)
ATTACH = (Ref("volumeAttachment.volumeId", VOLUME, missing_status=404),)
SWAP = (Ref("volumeAttachment.volumeId", VOLUME, loose=True),)
EVENTS = (Ref("events[].server_uuid", SERVER, loose=True),)
_NO_BDM = "No volume Block Device Mapping with id {id}."
ASSISTED = (Ref("snapshot.volume_id", VOLUME, missing=_NO_BDM),)
ASSISTED_DELETE = (Ref("?delete_info.volume_id", VOLUME, missing=_NO_BDM),)

# fmt: off
OPERATIONS = table(
    Service.COMPUTE,
    # What the service is
    Op("GET    /", LOCAL, answer=VERSION),
    Op("GET    /versions/{version}", LOCAL, answer=VERSION),
    Op("GET    /extensions", LOCAL, answer=EXTENSIONS),
    Op("GET    /extensions/{alias}", LOCAL, answer=EXTENSION),
    # Servers
    Op("GET    /servers", LIST, SERVER, listing=SERVERS_BRIEF),
    Op("POST   /servers", CREATE, SERVER, made_at="server.id", refs=BOOT),
    Op("GET    /servers/detail", LIST, SERVER, listing=SERVERS),
    Op("GET    /servers/{server}", BY_ID, SERVER),
    Op("PUT    /servers/{server}", BY_ID, SERVER),
    Op("DELETE /servers/{server}", BY_ID, SERVER),
    # Actions on a server
    Op("POST   /servers/{server}/action addFixedIp", BY_ID, SERVER, refs=ADD_FIXED_IP, until="2.43"),
    Op("POST   /servers/{server}/action addFloatingIp", BY_ID, SERVER, until="2.43"),
    Op("POST   /servers/{server}/action addSecurityGroup", BY_ID, SERVER),
    Op("POST   /servers/{server}/action changePassword", BY_ID, SERVER),
    Op("POST   /servers/{server}/action confirmResize", BY_ID, SERVER),
    Op("POST   /servers/{server}/action createBackup", BY_ID, SERVER, makes=IMAGE, made_at=NEW_IMAGE),
    Op("POST   /servers/{server}/action createImage", BY_ID, SERVER, makes=IMAGE, made_at=NEW_IMAGE),
    Op("POST   /servers/{server}/action evacuate", BY_ID, SERVER),
    Op("POST   /servers/{server}/action forceDelete", BY_ID, SERVER),
    Op("POST   /servers/{server}/action injectNetworkInfo", BY_ID, SERVER),
    Op("POST   /servers/{server}/action lock", BY_ID, SERVER),
    Op("POST   /servers/{server}/action migrate", BY_ID, SERVER),
    Op("POST   /servers/{server}/action os-getConsoleOutput", BY_ID, SERVER),
    Op("POST   /servers/{server}/action os-getSPICEConsole", BY_ID, SERVER, until="2.5"),
    Op("POST   /servers/{server}/action os-getSerialConsole", BY_ID, SERVER, until="2.5"),
    Op("POST   /servers/{server}/action os-getVNCConsole", BY_ID, SERVER, until="2.5"),
    Op("POST   /servers/{server}/action os-migrateLive", BY_ID, SERVER),
    Op("POST   /servers/{server}/action os-resetState", BY_ID, SERVER),
    Op("POST   /servers/{server}/action os-start", BY_ID, SERVER),
    Op("POST   /servers/{server}/action os-stop", BY_ID, SERVER),
    Op("POST   /servers/{server}/action pause", BY_ID, SERVER),
    Op("POST   /servers/{server}/action reboot", BY_ID, SERVER),
    Op("POST   /servers/{server}/action rebuild", BY_ID, SERVER, refs=REBUILD),
    Op("POST   /servers/{server}/action removeFixedIp", BY_ID, SERVER, until="2.43"),
    Op("POST   /servers/{server}/action removeFloatingIp", BY_ID, SERVER, until="2.43"),
    Op("POST   /servers/{server}/action removeSecurityGroup", BY_ID, SERVER),
    Op("POST   /servers/{server}/action rescue", BY_ID, SERVER, refs=RESCUE),
    Op("POST   /servers/{server}/action resize", BY_ID, SERVER),
    Op("POST   /servers/{server}/action restore", BY_ID, SERVER),
    Op("POST   /servers/{server}/action resume", BY_ID, SERVER),
    Op("POST   /servers/{server}/action revertResize", BY_ID, SERVER),
    Op("POST   /servers/{server}/action shelve", BY_ID, SERVER),
    Op("POST   /servers/{server}/action shelveOffload", BY_ID, SERVER),
    Op("POST   /servers/{server}/action suspend", BY_ID, SERVER),
    Op("POST   /servers/{server}/action trigger_crash_dump", BY_ID, SERVER, since="2.17"),
    Op("POST   /servers/{server}/action unlock", BY_ID, SERVER),
    Op("POST   /servers/{server}/action unpause", BY_ID, SERVER),
    Op("POST   /servers/{server}/action unrescue", BY_ID, SERVER),
    Op("POST   /servers/{server}/action unshelve", BY_ID, SERVER),
    # What belongs to a server
    Op("GET    /servers/{server}/diagnostics", BY_ID, SERVER),
    Op("GET    /servers/{server}/ips", BY_ID, SERVER),
    Op("GET    /servers/{server}/ips/{label}", BY_ID, SERVER),
    Op("GET    /servers/{server}/metadata", BY_ID, SERVER),
    Op("POST   /servers/{server}/metadata", BY_ID, SERVER),
    Op("PUT    /servers/{server}/metadata", BY_ID, SERVER),
    Op("GET    /servers/{server}/metadata/{key}", BY_ID, SERVER),
    Op("PUT    /servers/{server}/metadata/{key}", BY_ID, SERVER),
    Op("DELETE /servers/{server}/metadata/{key}", BY_ID, SERVER),
    Op("GET    /servers/{server}/migrations", BY_ID, SERVER, since="2.23"),
    Op("GET    /servers/{server}/migrations/{migration}", BY_ID, SERVER, since="2.23"),
    Op("DELETE /servers/{server}/migrations/{migration}", BY_ID, SERVER, since="2.24"),
    Op("POST   /servers/{server}/migrations/{migration}/action force_complete", BY_ID, SERVER, since="2.22"),
    Op("GET    /servers/{server}/os-instance-actions", BY_ID, SERVER),
    Op("GET    /servers/{server}/os-instance-actions/{request}", BY_ID, SERVER),
    Op("GET    /servers/{server}/os-interface", BY_ID, SERVER),
    Op("POST   /servers/{server}/os-interface", BY_ID, SERVER, refs=PLUG),
    Op("GET    /servers/{server}/os-interface/{port}", BY_ID, SERVER),
    Op("DELETE /servers/{server}/os-interface/{port}", BY_ID, SERVER),
    Op("GET    /servers/{server}/os-server-password", BY_ID, SERVER),
    Op("DELETE /servers/{server}/os-server-password", BY_ID, SERVER),
    Op("GET    /servers/{server}/os-volume_attachments", BY_ID, SERVER),
    Op("POST   /servers/{server}/os-volume_attachments", BY_ID, SERVER, refs=ATTACH),
    Op("GET    /servers/{server}/os-volume_attachments/{volume}", BY_ID, SERVER),
    Op("PUT    /servers/{server}/os-volume_attachments/{volume}", BY_ID, SERVER, refs=SWAP),
    Op("DELETE /servers/{server}/os-volume_attachments/{volume}", BY_ID, SERVER),
    Op("POST   /servers/{server}/remote-consoles", BY_ID, SERVER, since="2.6"),
    Op("GET    /servers/{server}/os-security-groups", BY_ID, SERVER),
    Op("GET    /servers/{server}/shares", BY_ID, SERVER, since="2.97"),
    Op("POST   /servers/{server}/shares", BY_ID, SERVER, since="2.97"),
    Op("GET    /servers/{server}/shares/{share}", BY_ID, SERVER, since="2.97"),
    Op("DELETE /servers/{server}/shares/{share}", BY_ID, SERVER, since="2.97"),
    Op("GET    /servers/{server}/tags", BY_ID, SERVER, since="2.26"),
    Op("PUT    /servers/{server}/tags", BY_ID, SERVER, since="2.26"),
    Op("DELETE /servers/{server}/tags", BY_ID, SERVER, since="2.26"),
    Op("GET    /servers/{server}/tags/{tag}", BY_ID, SERVER, since="2.26"),
    Op("PUT    /servers/{server}/tags/{tag}", BY_ID, SERVER, since="2.26"),
    Op("DELETE /servers/{server}/tags/{tag}", BY_ID, SERVER, since="2.26"),
    Op("GET    /servers/{server}/topology", BY_ID, SERVER, since="2.78"),
    # Server groups
    Op("GET    /os-server-groups", LIST, SERVER_GROUP, listing=SERVER_GROUPS),
    Op("POST   /os-server-groups", CREATE, SERVER_GROUP, made_at="server_group.id"),
    Op("GET    /os-server-groups/{server_group}", BY_ID, SERVER_GROUP),
    Op("DELETE /os-server-groups/{server_group}", BY_ID, SERVER_GROUP),
    # Consoles
    Op("GET    /os-console-auth-tokens/{console_token}", BY_ID, CONSOLE_TOKEN),
    # Flavors
    Op("GET    /flavors", REPLICATED, definition="flavor"),
    Op("POST   /flavors", REPLICATED, definition="flavor"),
    Op("GET    /flavors/detail", REPLICATED, definition="flavor"),
    Op("GET    /flavors/{flavor}", REPLICATED, definition="flavor"),
    Op("PUT    /flavors/{flavor}", REPLICATED, definition="flavor", since="2.55"),
    Op("DELETE /flavors/{flavor}", REPLICATED, definition="flavor"),
    Op("POST   /flavors/{flavor}/action addTenantAccess", REPLICATED, definition="flavor"),
    Op("POST   /flavors/{flavor}/action removeTenantAccess", REPLICATED, definition="flavor"),
    Op("GET    /flavors/{flavor}/os-extra_specs", REPLICATED, definition="flavor"),
    Op("POST   /flavors/{flavor}/os-extra_specs", REPLICATED, definition="flavor"),
    Op("GET    /flavors/{flavor}/os-extra_specs/{key}", REPLICATED, definition="flavor"),
    Op("PUT    /flavors/{flavor}/os-extra_specs/{key}", REPLICATED, definition="flavor"),
    Op("DELETE /flavors/{flavor}/os-extra_specs/{key}", REPLICATED, definition="flavor"),
    Op("GET    /flavors/{flavor}/os-flavor-access", REPLICATED, definition="flavor"),
    # Key pairs
    Op("GET    /os-keypairs", REPLICATED, definition="keypair"),
    Op("POST   /os-keypairs", REPLICATED, definition="keypair"),
    Op("GET    /os-keypairs/{keypair}", REPLICATED, definition="keypair"),
    Op("DELETE /os-keypairs/{keypair}", REPLICATED, definition="keypair"),
    # Limits, quotas, usage, zones
    Op("GET    /limits", AGGREGATE, fold=COMPUTE_LIMITS),
    Op("GET    /os-availability-zone", AGGREGATE, fold=ZONES),
    Op("GET    /os-availability-zone/detail", AGGREGATE, fold=ZONES),
    Op("GET    /os-hypervisors/statistics", AGGREGATE, fold=HYPERVISOR_STATISTICS, until="2.87"),
    Op("GET    /os-instance_usage_audit_log", AGGREGATE, fold=USAGE_AUDIT_LOG),
    Op("GET    /os-instance_usage_audit_log/{before}", AGGREGATE, fold=USAGE_AUDIT_LOG),
    Op("GET    /os-quota-class-sets/{quota_class}", QUOTA),
    Op("PUT    /os-quota-class-sets/{quota_class}", QUOTA),
    Op("GET    /os-quota-sets/{project}", QUOTA),
    Op("PUT    /os-quota-sets/{project}", QUOTA),
    Op("DELETE /os-quota-sets/{project}", QUOTA),
    Op("GET    /os-quota-sets/{project}/detail", QUOTA),
    Op("GET    /os-quota-sets/{project}/defaults", QUOTA),
    Op("GET    /os-simple-tenant-usage", AGGREGATE, fold=TENANT_USAGES),
    Op("GET    /os-simple-tenant-usage/{project}", AGGREGATE, fold=TENANT_USAGE),
    # The pods' own infrastructure
    Op("GET    /os-aggregates", BY_POD),
    Op("POST   /os-aggregates", BY_POD),
    Op("GET    /os-aggregates/{aggregate}", BY_POD),
    Op("PUT    /os-aggregates/{aggregate}", BY_POD),
    Op("DELETE /os-aggregates/{aggregate}", BY_POD),
    Op("POST   /os-aggregates/{aggregate}/action add_host", BY_POD),
    Op("POST   /os-aggregates/{aggregate}/action remove_host", BY_POD),
    Op("POST   /os-aggregates/{aggregate}/action set_metadata", BY_POD),
    Op("POST   /os-aggregates/{aggregate}/images", BY_POD, since="2.81"),
    Op("GET    /os-hosts", BY_POD, until="2.42"),
    Op("GET    /os-hosts/{host}", BY_POD, until="2.42"),
    Op("PUT    /os-hosts/{host}", BY_POD, until="2.42"),
    Op("GET    /os-hosts/{host}/reboot", BY_POD, writes=True, until="2.42"),
    Op("GET    /os-hosts/{host}/shutdown", BY_POD, writes=True, until="2.42"),
    Op("GET    /os-hosts/{host}/startup", BY_POD, writes=True, until="2.42"),
    Op("GET    /os-hypervisors", BY_POD),
    Op("GET    /os-hypervisors/detail", BY_POD),
    Op("GET    /os-hypervisors/{hypervisor}", BY_POD),
    Op("GET    /os-hypervisors/{hypervisor}/search", BY_POD, until="2.52"),
    Op("GET    /os-hypervisors/{hypervisor}/servers", BY_POD, until="2.52"),
    Op("GET    /os-hypervisors/{hypervisor}/uptime", BY_POD, until="2.87"),
    Op("GET    /os-migrations", BY_POD),
    Op("GET    /os-services", BY_POD),
    Op("PUT    /os-services/{compute_service}", BY_POD),
    Op("DELETE /os-services/{compute_service}", BY_POD),
    # Other services of a pod to its Nova
    Op("POST   /os-assisted-volume-snapshots", BY_REF, refs=ASSISTED),
    Op("DELETE /os-assisted-volume-snapshots/{assisted_snapshot}", BY_REF, refs=ASSISTED_DELETE),
    Op("POST   /os-server-external-events", SPLIT, refs=EVENTS),
    # The servers of 2.102 and before under another name
    Op("GET    /os-volumes_boot", LIST, SERVER, listing=SERVERS_BRIEF, until="2.102"),
    Op("POST   /os-volumes_boot", CREATE, SERVER, made_at="server.id", refs=BOOT, until="2.102"),
    Op("GET    /os-volumes_boot/detail", LIST, SERVER, listing=SERVERS, until="2.102"),
    Op("GET    /os-volumes_boot/{server}", BY_ID, SERVER, until="2.102"),
    Op("PUT    /os-volumes_boot/{server}", BY_ID, SERVER, until="2.102"),
    Op("DELETE /os-volumes_boot/{server}", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action confirmResize", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action createImage", BY_ID, SERVER, makes=IMAGE, made_at=NEW_IMAGE, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action os-start", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action os-stop", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action reboot", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action rebuild", BY_ID, SERVER, refs=REBUILD, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action resize", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action revertResize", BY_ID, SERVER, until="2.102"),
    Op("POST   /os-volumes_boot/{server}/action trigger_crash_dump", BY_ID, SERVER, since="2.17", until="2.102"),
    # Proxies to other services, which Nova itself dropped at 2.36 and 2.39
    Op("GET    /images", REFUSED, reason=IMAGE_API, until="2.35"),
    Op("GET    /images/detail", REFUSED, reason=IMAGE_API, until="2.35"),
    Op("GET    /images/{image}", REFUSED, reason=IMAGE_API, until="2.35"),
    Op("DELETE /images/{image}", REFUSED, reason=IMAGE_API, until="2.35"),
    Op("GET    /images/{image}/metadata", REFUSED, reason=IMAGE_API, until="2.38"),
    Op("POST   /images/{image}/metadata", REFUSED, reason=IMAGE_API, until="2.38"),
    Op("PUT    /images/{image}/metadata", REFUSED, reason=IMAGE_API, until="2.38"),
    Op("GET    /images/{image}/metadata/{key}", REFUSED, reason=IMAGE_API, until="2.38"),
    Op("PUT    /images/{image}/metadata/{key}", REFUSED, reason=IMAGE_API, until="2.38"),
    Op("DELETE /images/{image}/metadata/{key}", REFUSED, reason=IMAGE_API, until="2.38"),
    Op("GET    /os-baremetal-nodes", REFUSED, reason=BAREMETAL_API, until="2.35"),
    Op("POST   /os-baremetal-nodes", REFUSED, reason=BAREMETAL_API, until="2.35"),
    Op("GET    /os-baremetal-nodes/{node}", REFUSED, reason=BAREMETAL_API, until="2.35"),
    Op("DELETE /os-baremetal-nodes/{node}", REFUSED, reason=BAREMETAL_API, until="2.35"),
    Op("POST   /os-baremetal-nodes/{node}/action add_interface", REFUSED, reason=BAREMETAL_API, until="2.35"),
    Op("POST   /os-baremetal-nodes/{node}/action remove_interface", REFUSED, reason=BAREMETAL_API, until="2.35"),
    Op("GET    /os-floating-ip-pools", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-floating-ips", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("POST   /os-floating-ips", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-floating-ips/{floating_ip}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("DELETE /os-floating-ips/{floating_ip}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-networks", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-networks/{network}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("POST   /os-security-group-rules", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("DELETE /os-security-group-rules/{rule}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-security-groups", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("POST   /os-security-groups", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-security-groups/{security_group}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("PUT    /os-security-groups/{security_group}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("DELETE /os-security-groups/{security_group}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-snapshots", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("POST   /os-snapshots", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("GET    /os-snapshots/detail", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("GET    /os-snapshots/{snapshot}", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("DELETE /os-snapshots/{snapshot}", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("GET    /os-tenant-networks", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-tenant-networks/{network}", REFUSED, reason=NETWORK_API, until="2.35"),
    Op("GET    /os-volumes", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("POST   /os-volumes", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("GET    /os-volumes/detail", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("GET    /os-volumes/{volume}", REFUSED, reason=VOLUME_API, until="2.35"),
    Op("DELETE /os-volumes/{volume}", REFUSED, reason=VOLUME_API, until="2.35"),
    # Removed from Nova, which answers 410 for all of it
    Op("GET    /os-agents", GONE, reason=REMOVED),
    Op("POST   /os-agents", GONE, reason=REMOVED),
    Op("PUT    /os-agents/{agent}", GONE, reason=REMOVED),
    Op("DELETE /os-agents/{agent}", GONE, reason=REMOVED),
    Op("POST   /os-cells", GONE, reason=REMOVED),
    Op("GET    /os-cells", GONE, reason=REMOVED),
    Op("GET    /os-cells/capacities", GONE, reason=REMOVED),
    Op("GET    /os-cells/detail", GONE, reason=REMOVED),
    Op("GET    /os-cells/info", GONE, reason=REMOVED),
    Op("POST   /os-cells/sync_instances", GONE, reason=REMOVED),
    Op("GET    /os-cells/{cell}", GONE, reason=REMOVED),
    Op("PUT    /os-cells/{cell}", GONE, reason=REMOVED),
    Op("DELETE /os-cells/{cell}", GONE, reason=REMOVED),
    Op("GET    /os-cells/{cell}/capacities", GONE, reason=REMOVED),
    Op("POST   /os-certificates", GONE, reason=REMOVED),
    Op("GET    /os-certificates/{certificate}", GONE, reason=REMOVED),
    Op("GET    /os-cloudpipe", GONE, reason=REMOVED),
    Op("POST   /os-cloudpipe", GONE, reason=REMOVED),
    Op("PUT    /os-cloudpipe/{cloudpipe}", GONE, reason=REMOVED),
    Op("GET    /os-fixed-ips/{address}", GONE, reason=REMOVED),
    Op("POST   /os-fixed-ips/{address}/action reserve", GONE, reason=REMOVED),
    Op("POST   /os-fixed-ips/{address}/action unreserve", GONE, reason=REMOVED),
    Op("GET    /os-floating-ip-dns", GONE, reason=REMOVED),
    Op("PUT    /os-floating-ip-dns/{domain}", GONE, reason=REMOVED),
    Op("DELETE /os-floating-ip-dns/{domain}", GONE, reason=REMOVED),
    Op("GET    /os-floating-ip-dns/{domain}/entries/{entry}", GONE, reason=REMOVED),
    Op("PUT    /os-floating-ip-dns/{domain}/entries/{entry}", GONE, reason=REMOVED),
    Op("DELETE /os-floating-ip-dns/{domain}/entries/{entry}", GONE, reason=REMOVED),
    Op("GET    /os-floating-ips-bulk", GONE, reason=REMOVED),
    Op("POST   /os-floating-ips-bulk", GONE, reason=REMOVED),
    Op("GET    /os-floating-ips-bulk/{pool}", GONE, reason=REMOVED),
    Op("PUT    /os-floating-ips-bulk/{pool}", GONE, reason=REMOVED),
    Op("GET    /os-fping", GONE, reason=REMOVED),
    Op("GET    /os-fping/{server}", GONE, reason=REMOVED),
    Op("POST   /os-networks", GONE, reason=REMOVED),
    Op("POST   /os-networks/add", GONE, reason=REMOVED),
    Op("DELETE /os-networks/{network}", GONE, reason=REMOVED),
    Op("POST   /os-networks/{network}/action associate_host", GONE, reason=REMOVED),
    Op("POST   /os-networks/{network}/action disassociate", GONE, reason=REMOVED),
    Op("POST   /os-networks/{network}/action disassociate_host", GONE, reason=REMOVED),
    Op("POST   /os-networks/{network}/action disassociate_project", GONE, reason=REMOVED),
    Op("GET    /os-security-group-default-rules", GONE, reason=REMOVED),
    Op("POST   /os-security-group-default-rules", GONE, reason=REMOVED),
    Op("GET    /os-security-group-default-rules/{rule}", GONE, reason=REMOVED),
    Op("DELETE /os-security-group-default-rules/{rule}", GONE, reason=REMOVED),
    Op("POST   /os-tenant-networks", GONE, reason=REMOVED),
    Op("DELETE /os-tenant-networks/{network}", GONE, reason=REMOVED),
    Op("POST   /servers/{server}/action os-getRDPConsole", GONE, reason=NO_RDP, status=400, until="2.5"),
    Op("POST   /servers/{server}/action resetNetwork", GONE, reason=REMOVED),
    Op("GET    /servers/{server}/consoles", GONE, reason=REMOVED),
    Op("POST   /servers/{server}/consoles", GONE, reason=REMOVED),
    Op("GET    /servers/{server}/consoles/{console}", GONE, reason=REMOVED),
    Op("DELETE /servers/{server}/consoles/{console}", GONE, reason=REMOVED),
    Op("GET    /servers/{server}/os-virtual-interfaces", GONE, reason=REMOVED),
)
# fmt: on
