# SPDX-License-Identifier: Apache-2.0
"""nginx, as a pod that answers at once, and as the proxy that the gateway is compared with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.layout import HOST, Lab
from lab.processes import Process

_COMMON = """
daemon off;
pid {directory}/nginx.pid;
worker_processes 1;
error_log {directory}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  open_file_cache max=100;
  {more}
}}
"""
_POD = """
  server {{
    listen {host}:{port} reuseport;
    root {directory}/www;
    etag off;
    default_type application/json;
    location /compute/v2.1/servers/ {{
      add_header X-OpenStack-Request-Id req-00000000-0000-4000-8000-000000000000;
      add_header X-Compute-Request-Id req-00000000-0000-4000-8000-000000000000;
      add_header OpenStack-API-Version "compute 2.96";
      add_header X-OpenStack-Nova-API-Version 2.96;
      add_header Vary "OpenStack-API-Version, X-OpenStack-Nova-API-Version";
      rewrite ^ /server.json break;
    }}
    location /image/v2/images/ {{
      default_type application/octet-stream;
      rewrite ^ /image.raw break;
    }}
    location = /compute/ {{ rewrite ^ /compute.json break; }}
    location = /volume/ {{ rewrite ^ /volume.json break; }}
    location = /image/versions {{ rewrite ^ /image.json break; }}
  }}
"""
_PROXY = """
  upstream pod {{ server {host}:{upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen {host}:{port} reuseport;
    location / {{
      proxy_pass http://pod;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
"""


def _start(lab: Lab, name: str, more: str) -> Process:
    directory = lab.data / name
    directory.mkdir(parents=True, exist_ok=True)
    conf = directory / "nginx.conf"
    conf.write_text(_COMMON.format(directory=directory, more=more))
    process = Process(lab, "nginx", name)
    process.start(["nginx", "-e", str(directory / "error.log"), "-c", str(conf)])
    return process


def start_pod(lab: Lab, port: int, documents: Mapping[str, Any], image: bytes) -> Process:
    """documents: of the names server, compute, volume, image."""
    www: Path = lab.data / "pod" / "www"
    www.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (www / f"{name}.json").write_text(json.dumps(document, separators=(",", ":")))
    (www / "image.raw").write_bytes(image)
    directory = lab.data / "pod"
    return _start(lab, "pod", _POD.format(host=HOST, port=port, directory=directory))


def start_proxy(lab: Lab, port: int, upstream: int) -> Process:
    return _start(lab, "proxy", _PROXY.format(host=HOST, port=port, upstream=upstream))
