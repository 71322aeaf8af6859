# SPDX-License-Identifier: Apache-2.0
"""The options: one typed value each, with its help, by section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, cast, get_type_hints

from oslo_config import cfg, types

T = TypeVar("T")


def _option(default: T, opt: type[cfg.Opt], help_: str, **more: Any) -> T:
    """A field of a section that is also an option of oslo.config."""
    meta = {"opt": opt, "default": default, "help": help_, "more": more}
    if isinstance(default, dict):
        return field(default_factory=lambda: cast("T", {}), metadata=meta)
    return field(default=default, metadata=meta)


def _text(default: str, help_: str, *, secret: bool = False) -> str:
    return _option(default, cfg.StrOpt, help_, secret=secret)


def _choice(default: T, choices: Sequence[str], help_: str) -> T:
    return _option(default, cfg.StrOpt, help_, choices=list(choices))


def _count(default: int, help_: str, *, least: int = 1, most: int | None = None) -> int:
    return _option(default, cfg.IntOpt, help_, min=least, max=most)


def _seconds(default: float, help_: str, *, least: float = 0.01) -> float:
    return _option(default, cfg.FloatOpt, help_, min=least)


def _texts(default: tuple[str, ...], help_: str) -> tuple[str, ...]:
    return _option(default, cfg.ListOpt, help_)


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP server. TLS is the load balancer's."""

    bind_host: str = _option(
        "0.0.0.0",
        cfg.HostAddressOpt,
        "Address that the gateway listens on. Set it to the address of the management network, "
        "or to 127.0.0.1 when the load balancer is on the same machine.",
    )
    port: int = _option(
        19999,
        cfg.PortOpt,
        "TCP port that the gateway listens on; every service is below one port.",
    )
    workers: int = _count(
        1,
        "Processes of the gateway on this machine; they share the port. One process uses one "
        "core; as many as the machine has cores to spare.",
    )
    base_url: str = _text(
        "",
        "Public URL of the gateway, such as https://cloud.example:19999, for the links in its "
        "answers. Empty: made from each request's Host and X-Forwarded-Proto headers. Set it "
        "when the load balancer does not pass the Host header on or serves the gateway below "
        "a path.",
    )
    trusted_proxies: tuple[str, ...] = _texts(
        ("127.0.0.1", "::1"),
        "Addresses or networks of the load balancers whose X-Forwarded-For and "
        "X-Forwarded-Proto headers are believed; * believes everybody.",
    )
    max_body_bytes: int = _count(
        1024 * 1024,
        "Bytes that a JSON request may have; a larger one is answered with 413. Uploads of "
        "images are streams and are not limited by it.",
        least=1024,
    )
    drain_s: float = _seconds(
        70.0,
        "Seconds that requests in progress get to end after SIGTERM, before they are cut off. "
        "Longer than [pods] deadline_s; shorter than the kill timeout of what stops the "
        "process.",
        least=0,
    )


@dataclass(frozen=True, slots=True)
class Gateway:
    """What users see."""

    region: str = _text(
        "RegionOne",
        "Name of the region of the gateway in Keystone's catalogue, the one region that users "
        "see. No pod may have it.",
    )
    list_consistency: Literal["partial", "strict"] = _choice(
        "partial",
        ("partial", "strict"),
        "What a list does when a pod does not answer. partial: shows the other pods' resources "
        "and names the missing pods in the header X-Trio2o-Missing-Pods. strict: is answered "
        "with 503. A caller can choose by the header X-Trio2o-Consistency.",
    )
    max_limit: int = _count(
        1000,
        "Resources on one page of a list at most, whatever limit a caller asks for. Not more "
        "than osapi_max_limit and [api] max_limit of the pods, 1000 unless changed there.",
    )
    page_cursor_s: float = _seconds(
        3600.0,
        "Seconds for which it is remembered where the pages of a list ended in each pod. A "
        "caller that takes longer for the next page still gets it, with more work.",
    )
    probe_cache_s: float = _seconds(
        5.0,
        "Seconds for which an id that no pod knows is not asked for again in all pods. Raise "
        "it when clients ask often for things that do not exist; something made in a pod "
        "behind the gateway's back may stay unknown as long.",
        least=0,
    )
    routing_cache_size: int = _count(
        100_000,
        "Routings that a process keeps in memory, about 300 bytes each.",
    )
    token_cache_size: int = _count(
        10_000,
        "Tokens that a process remembers as valid, about 4 KiB each.",
    )
    token_cache_s: float = _seconds(
        30.0,
        "Seconds for which a valid token is not checked again, and so for how long a revoked "
        "one may still be accepted. With [keystone_authtoken] memcached_servers, the "
        "token_cache_time there comes on top.",
        least=0,
    )
    deleted_kept_s: float = _seconds(
        86400.0,
        "Seconds for which the gateway remembers a deleted resource, so that a list can be "
        "continued after it.",
    )


@dataclass(frozen=True, slots=True)
class Pods:
    """How pods are called."""

    interface: Literal["public", "internal"] = _choice(
        "public",
        ("public", "internal"),
        "Which of a pod's endpoints in Keystone's catalogue is called. internal when the "
        "gateway is in the pods' management networks.",
    )
    cafile: str = _text(
        "",
        "File with the PEM certificates of the authorities that the pods' certificates are "
        "checked with. Empty: those of the system.",
    )
    connect_timeout_s: float = _seconds(
        3.0, "Seconds to wait for a connection to a pod. Raise it for pods far away."
    )
    deadline_s: float = _seconds(
        60.0,
        "Seconds within which a pod has to answer a request that is for it alone; then the "
        "caller gets 503. The longest that a pod takes to attach a volume or to create a "
        "server with a port, rather more.",
    )
    list_deadline_s: float = _seconds(
        10.0,
        "Seconds within which a pod has to answer its part of a list; then the list is shown "
        "without it (see [gateway] list_consistency).",
    )
    max_in_flight: int = _count(
        100,
        "Requests in progress to one pod from one process; more wait, until their deadline. "
        "Lower it when a pod's API is overrun.",
    )
    breaker_failures: int = _count(
        5,
        "Failures to answer in a row after which a pod is not asked for breaker_open_s.",
    )
    breaker_open_s: float = _seconds(
        5.0,
        "Seconds for which a pod that failed breaker_failures times is answered for at once "
        "with 503; then one request tries it.",
    )
    refresh_s: float = _seconds(
        1.0,
        "Seconds after which a process looks for changes of the registered pods: how long a "
        "pod that was just disabled may still be asked.",
    )
    catalogue_s: float = _seconds(
        300.0,
        "Seconds for which the endpoints of the pods, and the versions that they offer, are "
        "remembered. A missing endpoint is looked up at once.",
    )


@dataclass(frozen=True, slots=True)
class Database:
    """Where pods, bindings, routings and intents are kept."""

    url: str = _text(
        "sqlite:////var/lib/trio2o/trio2o.sqlite",
        "The database: sqlite:////path/of/file on one machine, else "
        "mysql+pymysql://user:password@host/trio2o (MariaDB from 10.6, MySQL from 8.0) or "
        "postgresql+psycopg://user:password@host/trio2o. Keep a password in the configuration "
        "file or in OS_DATABASE__URL: a command line is seen by every user of the machine.",
        secret=True,
    )
    threads: int = _count(
        8,
        "Connections of one process to the database, each with a thread. Not more than the "
        "server allows, divided by the processes of all machines.",
    )
    connect_timeout_s: float = _seconds(
        5.0, "Seconds to wait for a connection to the database.", least=1
    )
    lock_timeout_s: float = _seconds(
        10.0,
        "Seconds that a change waits for another one to be finished before it is tried anew.",
        least=1,
    )


@dataclass(frozen=True, slots=True)
class Worker:
    """The reconciler."""

    interval_s: float = _seconds(5.0, "Seconds between two looks for work, when there was none.")
    lease_s: float = _seconds(
        60.0,
        "Seconds for which a worker has a piece of work to itself; when it dies, another one "
        "takes it up after that.",
        least=1,
    )
    intent_grace_s: float = _seconds(
        150.0,
        "Seconds after which a create that nobody knows the end of is looked into. Longer than "
        "[pods] deadline_s, or the worker looks before the pod can have answered.",
    )
    batch: int = _count(50, "Pieces of work that a worker takes at a time.")
    kept_s: float = _seconds(
        7 * 86400.0,
        "Seconds for which finished intents and the explanations of placements are kept.",
    )


@dataclass(frozen=True, slots=True)
class Network:
    """The network service of the top region."""

    endpoint: str = _text(
        "",
        "URL of the network service (Neutron) of the gateway's region, for the catalogue. "
        "Empty: the region has none, and requests for networks are answered with 501.",
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """Which pod a new server or volume goes to."""

    weights: Mapping[str, float] = _option(
        cast("Mapping[str, float]", {}),
        cfg.Opt,
        "How much each weigher counts, as name:number pairs separated by commas; 0 turns one "
        "off, and one that is not named keeps its own. preferred (1000): the project's preferred "
        "pod of the zone, so that its servers and volumes meet. bound (100): another pod that "
        "the project is bound to. room (1): what is free, as a share of the roomiest pod's.",
        type=types.Dict(types.Float()),
    )


@dataclass(frozen=True, slots=True)
class Log:
    """Log lines, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = _choice(
        "info",
        ("debug", "info", "warning", "error"),
        "The least important lines that are written. debug: each call to a pod.",
    )
    format: Literal["json", "text"] = _choice(
        "text",
        ("json", "text"),
        "text: one readable line each. json: one JSON object each, for collectors.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All options, by section.

    conf: what they were read from, for keystoneauth, keystonemiddleware and oslo.policy.
    """

    api: Api
    gateway: Gateway
    pods: Pods
    database: Database
    worker: Worker
    network: Network
    placement: Placement
    log: Log
    conf: cfg.ConfigOpts


SECTIONS: dict[str, type[Any]] = {
    name: section for name, section in get_type_hints(Settings).items() if name != "conf"
}


def _section_opts(section: type[Any]) -> list[cfg.Opt]:
    made = []
    for one in fields(section):
        meta, name = one.metadata, one.name.replace("_", "-")
        default = list(meta["default"]) if isinstance(meta["default"], tuple) else meta["default"]
        made.append(meta["opt"](name, default=default, help=meta["help"], **meta["more"]))
    return made


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Every section with its options, as oslo-config-generator wants them."""
    return [
        (cfg.OptGroup(name, help=section.__doc__), _section_opts(section))
        for name, section in SECTIONS.items()
    ]
