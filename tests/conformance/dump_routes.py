# SPDX-License-Identifier: Apache-2.0
"""Print the routes of the installed Nova, Cinder or Glance as JSON.

Runs in the environment that has OpenStack (.lab/venv), which is not that of the tests::

    .lab/venv/bin/python tests/conformance/dump_routes.py compute < probes.json

Standard input is a list of [method, path] to put to the router itself. The answer::

    {"routes": [{method, path, action, since, until, dead, removed, formats}],
     "rejects": {path: [methods that it allows]}, "probes": [path or null]}

Parameters in paths are written {}. A dead route leads to no method of its controller.
Removed is what Nova marks so: @wsgi.removed.
"""

import contextlib
import inspect
import json
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

PARAMETER = re.compile(r"\{[^{}]*\}|:\(\w+\)|:\w+")
PROJECT = re.compile(r"^/?\{project_id[^}]*\}(?=/|$)")


def main() -> None:
    warnings.simplefilter("ignore")
    probes = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(sys.stderr):
        config = Path(scratch, "dump.conf")
        config.write_text(
            "[DEFAULT]\ntransport_url = fake:/\n"
            f"[database]\nconnection = sqlite:///{scratch}/dump.sqlite\n"
            f"[oslo_concurrency]\nlock_path = {scratch}\n"
        )
        mapper, range_of = {"compute": compute, "volume": volume, "image": image}[sys.argv[1]](
            [str(config)]
        )
        answer = routes_of(mapper, range_of)
        answer["probes"] = [probe(mapper, method, path) for method, path in probes]
    json.dump(answer, sys.stdout)


def compute(files: list[str]) -> tuple[Any, Any]:
    import nova.conf
    from nova import rpc
    from nova.api.openstack.compute import routes

    nova.conf.CONF([], project="nova", default_config_files=files)
    rpc.init(nova.conf.CONF)

    def range_of(method: Any) -> tuple[str, str]:
        return getattr(method, "min_version", None) or "", getattr(
            method, "max_version", None
        ) or ""

    return routes.APIRouterV21().map, range_of


def volume(files: list[str]) -> tuple[Any, Any]:
    from cinder import objects, rpc
    from cinder.common import config  # noqa: F401  registers options
    from cinder.db import api, models
    from oslo_config import cfg

    objects.register_all()
    cfg.CONF([], project="cinder", default_config_files=files)
    rpc.init(cfg.CONF)
    models.BASE.metadata.create_all(api.get_engine())
    from cinder.api.v3 import router

    def range_of(method: Any) -> tuple[str, str]:
        if method.__name__ != "version_select":
            return "", ""
        # Controller.__getattribute__ answers with a closure that knows the method's name.
        known = inspect.getclosurevars(method).nonlocals
        found = known["self"].versioned_methods[known["key"]]
        starts = [one.start_version for one in found]
        ends = [one.end_version for one in found]
        return (
            min(starts).get_string(),
            max(ends).get_string() if all(ends) else "",
        )

    return router.APIRouter().map, range_of


def image(files: list[str]) -> tuple[Any, Any]:
    from glance.api.v2 import router
    from glance.common import config, wsgi  # noqa: F401  registers options
    from oslo_config import cfg

    cfg.CONF([], project="glance", default_config_files=files)
    mapper = wsgi.APIMapper()
    router.API(mapper)
    return mapper, None


def template(path: str) -> str:
    path = PROJECT.sub("", path if path.startswith("/") else f"/{path}")
    return PARAMETER.sub("{}", path) or "/"


def routes_of(mapper: Any, range_of: Any) -> dict[str, Any]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    rejects: dict[str, list[str]] = {}
    formats = set()
    for route in mapper.matchlist:
        if route.redirect:
            continue
        path = route.routepath
        if ":(format)" in path or "{format}" in path:
            formats.add(template(re.sub(r"\.(:\(format\)|\{format\})", "", path)))
            continue
        path = template(path)
        name = route.defaults["action"]
        if name == "reject":
            rejects[path] = route.defaults["allowed_methods"].split(", ")
            continue
        for method in (route.conditions or {}).get("method") or ["GET"]:
            # The first route that fits is the one that is taken.
            if (method, path) not in found:
                rows = rows_of(route.defaults["controller"], name, range_of)
                found[method, path] = [{"method": method, "path": path, **row} for row in rows]
    routes = [row for rows in found.values() for row in rows]
    for row in routes:
        row["formats"] = row["path"] in formats
    return {"routes": routes, "rejects": rejects}


def rows_of(resource: Any, name: str, range_of: Any) -> list[dict[str, Any]]:
    """One row, or one for each action, for a route to the method ``name``."""

    def row(method: Any, action: str = "", *, dead: bool = False) -> dict[str, Any]:
        since, until = range_of(method) if range_of and method else ("", "")
        removed = bool(getattr(method, "removed", False))
        return {
            "action": action,
            "since": since,
            "until": until,
            "dead": dead,
            "removed": removed,
        }

    if range_of is None:
        return [row(None)]
    method = getattr(resource.controller, name, None)
    actions = getattr(resource, "wsgi_actions", {})
    if method is not None:
        return [row(method)]
    if name == "action":
        return [row(method, action) for action, method in actions.items()]
    if name in actions and name in ("create", "delete", "update"):
        return [row(actions[name])]
    return [row(None, dead=True)]


def probe(mapper: Any, method: str, path: str) -> str | None:
    """The template of the route that the router itself takes."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    mapper.environ = environ
    result = mapper.routematch(path, environ)
    if not result:
        return None
    found, route = result
    if found.get("action") == "reject":
        return None
    return template(re.sub(r"\.(:\(format\)|\{format\})", "", route.routepath))


if __name__ == "__main__":
    main()
