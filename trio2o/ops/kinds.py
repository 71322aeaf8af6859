# SPDX-License-Identifier: Apache-2.0
"""Facts about each kind of resource, as its service shows it."""

from dataclasses import KW_ONLY, dataclass

from trio2o.model import Kind, Service


@dataclass(frozen=True, slots=True)
class Facts:
    """How a service shows one resource, and what it says when it has none.

    show: path of one, with {id}, below the service's version.
    not_found: the service's own message then, with {id}.
    body_key: key of the resource in the answer; "" when the answer is the resource.
    id_field: "" when the answer does not repeat the id.
    created_field: time of creation; "" when it is not shown.
    project_field: id of the owning project; "" when it is not shown.
    since: the first microversion in which ``show`` exists and has these fields; "" is any.
    uuid: whether every id is a UUID, so that another text needs no question to any pod.
    """

    service: Service
    show: str
    not_found: str
    body_key: str
    _: KW_ONLY
    id_field: str = "id"
    created_field: str = "created_at"
    project_field: str = ""
    since: str = ""
    uuid: bool = True


_COMPUTE, _VOLUME, _IMAGE, _NETWORK = (
    Service.COMPUTE,
    Service.VOLUME,
    Service.IMAGE,
    Service.NETWORK,
)

# Messages: nova/exception.py@34.0.0, cinder/exception.py@29.0.0, glance/db/sqlalchemy/api.py and
# glance/db/__init__.py@33.0.0, neutron_lib/exceptions/__init__.py@5.0.1.
KINDS: dict[Kind, Facts] = {
    Kind.SERVER: Facts(
        _COMPUTE,
        "/servers/{id}",
        "Instance {id} could not be found.",
        "server",
        created_field="created",
        project_field="tenant_id",
    ),
    Kind.SERVER_GROUP: Facts(
        _COMPUTE,
        "/os-server-groups/{id}",
        "Instance group {id} could not be found.",
        "server_group",
        created_field="",
        project_field="project_id",
        since="2.13",
    ),
    Kind.CONSOLE_TOKEN: Facts(
        _COMPUTE,
        "/os-console-auth-tokens/{id}",
        "Token not found",
        "console",
        id_field="",
        created_field="",
        since="2.31",
    ),
    Kind.VOLUME: Facts(
        _VOLUME,
        "/volumes/{id}",
        "Volume {id} could not be found.",
        "volume",
        project_field="os-vol-tenant-attr:tenant_id",
    ),
    Kind.SNAPSHOT: Facts(
        _VOLUME,
        "/snapshots/{id}",
        "Snapshot {id} could not be found.",
        "snapshot",
        project_field="os-extended-snapshot-attributes:project_id",
    ),
    Kind.BACKUP: Facts(
        _VOLUME,
        "/backups/{id}",
        "Backup {id} could not be found.",
        "backup",
        project_field="os-backup-project-attr:project_id",
        since="3.18",
    ),
    Kind.GROUP: Facts(
        _VOLUME,
        "/groups/{id}",
        "Group {id} could not be found.",
        "group",
        project_field="project_id",
        since="3.58",
    ),
    Kind.GROUP_SNAPSHOT: Facts(
        _VOLUME,
        "/group_snapshots/{id}",
        "GroupSnapshot {id} could not be found.",
        "group_snapshot",
        project_field="project_id",
        since="3.58",
    ),
    # cinder/api/contrib/consistencygroups.py and cgsnapshots.py@29.0.0: both are groups.
    Kind.CONSISTENCY_GROUP: Facts(
        _VOLUME,
        "/consistencygroups/{id}",
        "Group {id} could not be found.",
        "consistencygroup",
    ),
    Kind.CGSNAPSHOT: Facts(
        _VOLUME,
        "/cgsnapshots/{id}",
        "GroupSnapshot {id} could not be found.",
        "cgsnapshot",
    ),
    Kind.ATTACHMENT: Facts(
        _VOLUME,
        "/attachments/{id}",
        "Volume attachment could not be found with filter: attachment_id = {id}.",
        "attachment",
        created_field="",
        since="3.27",
    ),
    Kind.TRANSFER: Facts(
        _VOLUME,
        "/volume-transfers/{id}",
        "Transfer {id} could not be found.",
        "transfer",
        project_field="source_project_id",
        since="3.57",
    ),
    Kind.MESSAGE: Facts(
        _VOLUME,
        "/messages/{id}",
        "Message {id} could not be found.",
        "message",
        since="3.3",
    ),
    Kind.IMAGE: Facts(
        _IMAGE,
        "/images/{id}",
        "No image found with ID {id}",
        "",
        project_field="owner",
    ),
    Kind.TASK: Facts(
        _IMAGE,
        "/tasks/{id}",
        "Could not find task {id}",
        "",
        project_field="owner",
    ),
    Kind.NETWORK: Facts(
        _NETWORK,
        "/networks/{id}",
        "Network {id} could not be found.",
        "network",
        project_field="project_id",
    ),
    Kind.PORT: Facts(
        _NETWORK,
        "/ports/{id}",
        "Port {id} could not be found.",
        "port",
        project_field="project_id",
    ),
}
