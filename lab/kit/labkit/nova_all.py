# SPDX-License-Identifier: Apache-2.0
"""One nova cloud in one process: API, conductor, scheduler, compute, and Placement.

    python -m labkit.nova_all HOST API_PORT PLACEMENT_PORT

Placement keeps its options to itself, hence it can share the process; no two
other services can. Messages go through labkit.inproc, hence the one process.
nova-compute reads the database itself, as in nova's functional tests, where it
would ask the conductor.
"""

# Before anything else of nova: it must know that nobody wants eventlet.
from nova import monkey_patch

monkey_patch.patch(backend="threading")

import shlex  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402

import nova.conf  # noqa: E402
import nova.virt  # noqa: E402
import os_brick  # noqa: E402
import os_vif  # noqa: E402
from keystoneauth1 import exceptions as ks_exc  # noqa: E402
from keystoneauth1 import loading  # noqa: E402
from nova import context, service, utils  # noqa: E402
from nova.compute import rpcapi as compute_rpcapi  # noqa: E402
from nova.conductor import rpcapi as conductor_rpcapi  # noqa: E402
from nova.objects import host_mapping  # noqa: E402
from nova.scheduler import rpcapi as scheduler_rpcapi  # noqa: E402
from nova.servicegroup import api as servicegroup  # noqa: E402
from oslo_privsep import priv_context  # noqa: E402

from labkit import capacity, virt  # noqa: E402
from labkit.serve import serve  # noqa: E402

SERVICES = (
    ("nova-conductor", conductor_rpcapi.RPC_TOPIC, None),
    ("nova-scheduler", scheduler_rpcapi.RPC_TOPIC, None),
    ("nova-compute", compute_rpcapi.RPC_TOPIC, compute_rpcapi.RPC_TOPIC_ALT),
)


def await_placement() -> None:
    """Return once the catalogue names this pod's Placement.

    nova-compute reports to it when it starts, and comes back to it only a
    minute later when it cannot.
    """
    section = nova.conf.CONF.placement
    auth = loading.load_auth_from_conf_options(nova.conf.CONF, "placement")
    session = loading.load_session_from_conf_options(nova.conf.CONF, "placement", auth=auth)
    while True:
        try:
            if session.get_endpoint(service_type="placement", region_name=section.region_name):
                return
        except ks_exc.ClientException:
            pass
        session.invalidate()
        time.sleep(0.2)


def main() -> None:
    host, api_port, placement_port = sys.argv[1:4]
    # both modules parse sys.argv when they are imported
    sys.argv = ["nova-api"]
    from nova.wsgi import osapi_compute  # noqa: PLC0415
    from placement.wsgi import api as placement  # noqa: PLC0415

    priv_context.init(root_helper=shlex.split(utils.get_root_helper()))
    os_brick.setup(nova.conf.CONF)
    os_vif.initialize()
    # nova loads compute drivers from inside its own package nova.virt only
    sys.modules["nova.virt.lab"] = nova.virt.lab = virt
    # a service that comes back is seen at once, not after five seconds
    servicegroup.INITIAL_REPORTING_DELAY = 0

    threading.Thread(
        target=serve, daemon=True, args=(placement.application, host, placement_port)
    ).start()
    await_placement()
    running = {}
    for binary, topic, topic_alt in SERVICES:
        options = {"topic_alt": topic_alt} if topic_alt else {}
        running[binary] = service.Service.create(binary=binary, topic=topic, **options)
        running[binary].start()
    admin = context.get_admin_context()
    # a new compute host is found at once, not at the scheduler's next look
    host_mapping.discover_hosts(admin)
    capacity.on_change(lambda: running["nova-compute"].manager.update_available_resource(admin))
    serve(osapi_compute.application, host, api_port)


if __name__ == "__main__":
    main()
