# SPDX-License-Identifier: Apache-2.0
"""The configuration and the command of every service of a pod. Decides, and writes nothing."""

import configparser
import io
import pathlib
from collections.abc import Mapping

from lab.layout import HOST, SECRET, Lab, Pod

Section = dict[str, object]
Sections = dict[str, Section]

# One key from the configuration stands in for Barbican
FIXED_KEY = "00" * 32
# Where glance keeps images; the first is the default
STORES = ("file", "spare")


def render(sections: Mapping[str, Mapping[str, object]]) -> str:
    """Return the text of an oslo.config file."""
    parser = configparser.RawConfigParser(delimiters=("=",), default_section="\0")
    # options keep their case
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_dict(sections)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def configuration(pod: Pod) -> dict[str, Sections]:
    """Return file name -> sections, for the directory ``pod.etc``."""
    share = pod.lab.venv / "etc"
    return {
        "nova.conf": nova(pod),
        "placement.conf": placement(pod),
        "glance-api.conf": glance(pod, share / "glance"),
        "cinder.conf": cinder(pod, share / "cinder"),
        "neutron.conf": neutron(pod, share / "neutron"),
    }


def directories(pod: Pod) -> list[pathlib.Path]:
    """Return what must exist before the services start."""
    locks = [pod.data / name / "lock" for name in ("nova", "placement", "cinder", "neutron")]
    reserved = ("staging", "os_glance_staging_store", "os_glance_tasks_store", "lock")
    return [pod.etc, *locks, *(pod.data / "glance" / name for name in (*STORES, *reserved))]


def commands(pod: Pod) -> dict[str, list[str | pathlib.Path]]:
    """Return process name -> argv. Nova comes first: it takes longest to be ready."""
    python = pod.lab.bin / "python"
    serve: list[str | pathlib.Path] = [python, "-m", "labkit.serve", HOST]
    return {
        "nova": [
            *(python, "-m", "labkit.nova_all", HOST),
            *(str(pod.port("compute")), str(pod.port("placement"))),
        ],
        "neutron": [*serve, str(pod.port("network")), "neutron.wsgi.api"],
        "cinder": [
            *(python, "-m", "labkit.cinder_all", HOST, str(pod.port("volume"))),
            *("--config-file", pod.etc / "cinder.conf"),
        ],
        "glance": [*serve, str(pod.port("image")), "glance.wsgi.api"],
    }


def environment(pod: Pod) -> dict[str, str]:
    return {
        "OS_NOVA_CONFIG_DIR": str(pod.etc),
        "OS_PLACEMENT_CONFIG_DIR": str(pod.etc),
        "OS_GLANCE_CONFIG_DIR": str(pod.etc),
        "OS_NEUTRON_CONFIG_DIR": str(pod.etc),
        "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
        # cinder still defaults to eventlet; the rest uses threads
        "OS_CINDER_DISABLE_EVENTLET_PATCHING": "1",
        "PYTHONWARNINGS": "ignore",
        "TRIO2O_LAB_SIZE": str(pod.size_file),
    }


def client(pod: Pod, user: str) -> Section:
    """Return the options of a section that holds a Keystone client.

    region_name always: with one Keystone for all pods, a service would otherwise
    talk to the services of another pod.
    """
    return {
        "auth_type": "password",
        "auth_url": pod.lab.auth_url,
        "username": user,
        "password": SECRET,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": pod.region,
    }


def database(connection: str) -> Section:
    return {"connection": connection, "max_pool_size": 5, "max_overflow": 30}


def common(pod: Pod, user: str) -> Sections:
    return {
        "DEFAULT": {
            # a key in the service tables of nova and cinder
            "host": pod.name,
            "my_ip": HOST,
            # under a WSGI server the only way to one log for each process
            "use_stderr": "true",
            "state_path": pod.data / user,
            "transport_url": "inproc:///",
            # of each RPC server, of which nova's process has four
            "executor_thread_pool_size": 16,
        },
        "database": database(pod.database(user)),
        "keystone_authtoken": {
            **client(pod, user),
            "www_authenticate_uri": pod.lab.auth_url,
            "interface": "public",
            "service_token_roles": "service",
            "service_token_roles_required": "true",
        },
        "oslo_concurrency": {"lock_path": pod.data / user / "lock"},
        # cinder refuses to drop the attachment of a volume in use to a caller
        # that shows no service token (CVE-2023-2088)
        "service_user": {**client(pod, user), "send_service_user_token": "true"},
    }


def nova(pod: Pod) -> Sections:
    conf = common(pod, "nova")
    conf["DEFAULT"] |= {
        "compute_driver": "lab.LabDriver",
        "allow_resize_to_same_host": "true",
        # the fake driver sends no events and waits for none, but nova-compute
        # itself does when it reverts a resize
        "vif_plugging_is_fatal": "false",
        "vif_plugging_timeout": 0,
        # else the first look for new compute hosts waits up to 60 s
        "periodic_fuzzy_delay": 0,
        # an outage shows within 20 s in place of 60
        "report_interval": 3,
        "service_down_time": 20,
        "default_ephemeral_format": "ext4",
        # exactly what the size says fits
        "cpu_allocation_ratio": 1,
        "ram_allocation_ratio": 1,
        "disk_allocation_ratio": 1,
        "reserved_host_memory_mb": 0,
    }
    conf["api_database"] = database(pod.database("nova_api"))
    # room for a test that walks over many servers
    conf["quota"] = {"instances": 200, "cores": 400, "ram": 400 * 1024}
    conf["scheduler"] = {"workers": 1, "discover_hosts_in_cells_interval": 60}
    conf["conductor"] = {"workers": 1}
    conf["placement"] = client(pod, "nova")
    conf["neutron"] = client(pod, "nova")
    conf["glance"] = {"region_name": pod.region}
    conf["cinder"] = client(pod, "nova")
    conf["cinder"]["os_region_name"] = conf["cinder"].pop("region_name")
    conf["vnc"] = {"enabled": "false"}
    conf["compute"] = {"live_migration_wait_for_vif_plug": "false"}
    conf["key_manager"] = {
        "backend": "nova.keymgr.conf_key_mgr.ConfKeyManager",
        "fixed_key": FIXED_KEY,
    }
    return conf


def placement(pod: Pod) -> Sections:
    conf = common(pod, "placement")
    conf["placement_database"] = conf.pop("database")
    return conf


def glance(pod: Pod, share: pathlib.Path) -> Sections:
    conf = common(pod, "glance")
    home = pod.data / "glance"
    conf["DEFAULT"] |= {
        # two: copies between stores can be asked for
        "enabled_backends": ",".join(f"{store}:file" for store in STORES),
        "worker_self_reference_url": pod.url("image"),
        # the brackets belong to the value: without them every answer about an
        # image is a 500
        "enabled_import_methods": "[glance-direct,copy-image]",
        "node_staging_uri": f"file://{home}/staging",
    }
    # tempest fills images with random bytes, whatever their format
    conf["image_format"] = {"require_image_format_match": "false"}
    conf["glance_store"] = {"default_backend": STORES[0]}
    for name in (*STORES, "os_glance_staging_store", "os_glance_tasks_store"):
        conf[name] = {"filesystem_store_datadir": home / name}
    conf["paste_deploy"] = {
        "flavor": "keystone",
        "config_file": share / "glance-api-paste.ini",
    }
    return conf


def cinder(pod: Pod, share: pathlib.Path) -> Sections:
    conf = common(pod, "cinder")
    conf["DEFAULT"] |= {
        "auth_strategy": "keystone",
        "api_paste_config": share / "api-paste.ini",
        "resource_query_filters_file": share / "resource_filters.json",
        "glance_api_servers": pod.url("image"),
        "enabled_backends": "lab",
        "allow_force_upload": "true",
        "backup_manager": "labkit.backup.LabBackupManager",
        "backup_driver": "cinder.backup.drivers.posix.PosixBackupDriver",
        "backup_posix_path": pod.data / "cinder/backups",
        "default_volume_type": "__DEFAULT__",
        "quota_volumes": 200,
        "quota_snapshots": 200,
        # cinder-scheduler holds its start for up to 60 s otherwise
        "scheduler_driver_init_wait_time": 2,
        "periodic_fuzzy_delay": 0,
        "report_interval": 3,
        "service_down_time": 20,
        # the room that a deleted volume leaves is seen soon
        "backend_stats_polling_interval": 10,
        "periodic_interval": 10,
    }
    conf["lab"] = {
        "volume_driver": "labkit.volume.LabVolumeDriver",
        "volume_backend_name": "lab",
    }
    conf["nova"] = {**client(pod, "cinder"), "interface": "public"}
    conf["key_manager"] = {
        "backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager",
        "fixed_key": FIXED_KEY,
    }
    return conf


def neutron(pod: Pod, share: pathlib.Path) -> Sections:
    conf = common(pod, "neutron")
    conf["DEFAULT"] |= {
        "core_plugin": "ml2",
        # not trunk: its plugin wants a driver from the mechanism driver
        "service_plugins": "router,qos,segments,metering,network_ip_availability,"
        "port_forwarding,flavors,auto_allocate",
        "api_paste_config": share / "api-paste.ini",
        # no DHCP agents: nothing that would keep a port DOWN
        "enable_traditional_dhcp": "false",
        "rpc_workers": 0,
        "notify_nova_on_port_status_changes": "true",
        "notify_nova_on_port_data_changes": "true",
    }
    conf["nova"] = client(pod, "neutron")
    conf["placement"] = client(pod, "neutron")
    conf["ml2"] = {
        "type_drivers": "local,flat,vlan,vxlan",
        "tenant_network_types": "vxlan",
        "mechanism_drivers": "lab",
        "extension_drivers": "port_security,qos,uplink_status_propagation",
    }
    conf["ml2_type_flat"] = {"flat_networks": "public,extern"}
    conf["ml2_type_vlan"] = {"network_vlan_ranges": "bridge:100:199"}
    conf["ml2_type_vxlan"] = {"vni_ranges": "1:10000"}
    conf["securitygroup"] = {"enable_security_group": "true"}
    return conf


def keystone(lab: Lab, name: str = "keystone") -> Sections:
    """Return keystone.conf; ``name`` is the directory of its data."""
    home = lab.data / name
    database_name = f"{name}_keystone" if name != "keystone" else "keystone"
    return {
        "DEFAULT": {
            "use_stderr": "true",
            "public_endpoint": lab.auth_url.removesuffix("/v3"),
        },
        "database": database(lab.database(database_name)),
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": home / "fernet"},
        # bootstrap looks for these keys in /etc/keystone otherwise
        "fernet_receipts": {"key_repository": home / "fernet"},
        "credential": {"key_repository": home / "credential"},
        # bcrypt at its cheapest: a lab makes many users and tokens
        "identity": {"password_hash_rounds": 4},
        "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
    }
