# SPDX-License-Identifier: Apache-2.0
"""One cinder in one process: API, scheduler, backup, one volume backend.

    python -m labkit.cinder_all HOST PORT --config-file FILE

Messages go through labkit.inproc.
"""

# Before anything else of cinder, which still defaults to eventlet.
from cinder import monkey_patch

monkey_patch.patch(backend="threading")

import shlex  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402


def main() -> None:
    host, port = sys.argv[1:3]
    # cinder.wsgi.api parses sys.argv when it is imported
    sys.argv = ["cinder-api", *sys.argv[3:]]
    from cinder.wsgi import api  # noqa: PLC0415, I001

    import os_brick  # noqa: PLC0415
    from cinder import context, service, utils  # noqa: PLC0415
    from cinder.common import constants  # noqa: PLC0415
    from oslo_config import cfg  # noqa: PLC0415
    from oslo_privsep import priv_context  # noqa: PLC0415

    from labkit import capacity  # noqa: PLC0415
    from labkit.serve import serve  # noqa: PLC0415

    class Service(service.Service):  # type: ignore[misc]
        """A service that reports under its own id.

        cinder keeps the id of "the" service of a process in the class, so of
        three in one process two would look dead.
        """

        turn = threading.Lock()

        def report_state(self) -> None:
            with self.turn:
                service.Service.service_id = self.origin_service_id
                super().report_state()

    conf = cfg.CONF
    priv_context.init(root_helper=shlex.split(utils.get_root_helper()))
    os_brick.setup(conf)
    (backend,) = conf.enabled_backends
    volume = Service.create(
        host=f"{conf.host}@{backend}",
        service_name=backend,
        binary=constants.VOLUME_BINARY,
        coordination=True,
    )
    backup = Service.create(binary=constants.BACKUP_BINARY, service_name="backup")
    # last: it waits for a backend to report
    scheduler = Service.create(binary=constants.SCHEDULER_BINARY)
    for one in (volume, backup, scheduler):
        one.start()
        # a service that comes back is seen at once, not after an interval
        one.report_state()

    admin = context.get_admin_context()
    capacity.on_change(lambda: volume.manager.publish_service_capabilities(admin))
    serve(api.application, host, port)


if __name__ == "__main__":
    main()
