# SPDX-License-Identifier: Apache-2.0
"""Who may do what in the admin API, with oslo.policy.

One rule for each operation. An operator overrides them in the file that the option
``[oslo_policy] policy_file`` names; ``oslopolicy-sample-generator --namespace trio2o`` writes
all of them with their defaults. What a user may do with servers, volumes and images is not
here: pods decide that by their own policies.
"""

from typing import Final

from oslo_config import cfg
from oslo_policy import opts as policy_opts
from oslo_policy import policy

from trio2o.errors import Forbidden, Misconfigured
from trio2o.model import Caller

ADMIN: Final = "rule:admin"
ADMIN_OR_READER: Final = "rule:admin_or_project_reader"
ANY_PROJECT: Final = "*"
"""The target of a list over all projects. No project has this id."""

_SCOPES: Final = ["system", "project"]


def _rule(
    name: str, check: str, description: str, *operations: tuple[str, str]
) -> policy.DocumentedRuleDefault:
    return policy.DocumentedRuleDefault(
        name=name,
        check_str=check,
        description=description,
        operations=[{"method": method, "path": path} for method, path in operations],
        scope_types=_SCOPES,
    )


RULES: Final[tuple[policy.RuleDefault, ...]] = (
    policy.RuleDefault("admin", "role:admin", "An operator of the whole: any admin."),
    policy.RuleDefault(
        "admin_or_project_reader",
        "rule:admin or (role:reader and project_id:%(project_id)s)",
        "An admin, or a member of the project that the row is of.",
    ),
    _rule("pods:create", ADMIN, "Register a pod.", ("POST", "/v1.0/pods")),
    _rule("pods:list", ADMIN, "List the pods.", ("GET", "/v1.0/pods")),
    _rule("pods:show", ADMIN, "Show a pod.", ("GET", "/v1.0/pods/{pod}")),
    _rule(
        "pods:update", ADMIN, "Change a pod's state, zones or tags.", ("PATCH", "/v1.0/pods/{pod}")
    ),
    _rule("pods:delete", ADMIN, "Take a pod out.", ("DELETE", "/v1.0/pods/{pod}")),
    _rule("bindings:create", ADMIN, "Bind a project to a pod.", ("POST", "/v1.0/bindings")),
    _rule(
        "bindings:list",
        ADMIN,
        "List bindings. Who may not see those of all projects sees those of the own one.",
        ("GET", "/v1.0/bindings"),
    ),
    _rule("bindings:show", ADMIN, "Show a binding.", ("GET", "/v1.0/bindings/{binding}")),
    _rule(
        "bindings:update",
        ADMIN,
        "Make a binding the preferred one of its zone.",
        ("PATCH", "/v1.0/bindings/{binding}"),
    ),
    _rule("bindings:delete", ADMIN, "End a binding.", ("DELETE", "/v1.0/bindings/{binding}")),
    _rule(
        "routings:list",
        ADMIN_OR_READER,
        "List routings. Who may not see those of all projects sees those of the own one.",
        ("GET", "/v1.0/routings"),
    ),
    _rule(
        "routings:show",
        ADMIN_OR_READER,
        "Show in which pod a resource lives.",
        ("GET", "/v1.0/routings/{resource_id}"),
    ),
    _rule(
        "placements:list",
        ADMIN,
        "List why resources were placed where they are. The records tell of pods and their load.",
        ("GET", "/v1.0/placements"),
    ),
    _rule(
        "placements:show",
        ADMIN,
        "Show why a resource was placed where it is. The record tells of pods and their load.",
        ("GET", "/v1.0/placements/{resource_id}"),
    ),
)


def list_rules() -> tuple[policy.RuleDefault, ...]:
    """All rules, for oslo.policy's tools (entry point ``oslo.policy.policies``)."""
    return RULES


class Policy:
    """The rules, with what the operator's file says of them.

    The file is read again when it changes. Raises Misconfigured, then or at the start, if it
    cannot be read.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        policy_opts.set_defaults(conf)
        self._enforcer = policy.Enforcer(conf)
        self._enforcer.suppress_deprecation_warnings = True
        self._enforcer.register_defaults(RULES)
        self._load()

    def allows(self, rule: str, caller: Caller, project_id: str) -> bool:
        """Whether ``caller`` may do ``rule`` to something of ``project_id``.

        An admin of a domain is none of the pods: only projects and the system count.
        """
        self._load()
        if not (caller.project_id or caller.system_scope):
            return False
        credentials: dict[str, object] = {
            "user_id": caller.user_id,
            "project_id": caller.project_id or None,
            "roles": sorted(caller.roles),
            "service_roles": sorted(caller.service_roles),
            "system_scope": caller.system_scope or None,
            "is_admin_project": caller.is_admin_project,
        }
        return bool(self._enforcer.authorize(rule, {"project_id": project_id}, credentials))

    def require(self, rule: str, caller: Caller, project_id: str) -> None:
        """Raise Forbidden unless ``caller`` may do ``rule`` to something of ``project_id``."""
        if not self.allows(rule, caller, project_id):
            raise Forbidden(f"The policy does not allow you to do {rule}.")

    def _load(self) -> None:
        # oslo_policy/policy.py@6.0.1: ValueError for what is not YAML, AttributeError for YAML
        # that is not a mapping.
        try:
            self._enforcer.load_rules()
        except (ValueError, AttributeError, OSError, cfg.Error) as error:
            raise Misconfigured(
                f"[oslo_policy] policy_file cannot be used: {error}. Repair or remove it."
            ) from error
