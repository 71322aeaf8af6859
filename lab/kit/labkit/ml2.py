# SPDX-License-Identifier: Apache-2.0
"""An ML2 mechanism driver for a cloud without agents and data plane.

It binds every ordinary port at once and leaves it ACTIVE, and it does what an
L3 agent would report: router ports and associated floating IPs turn ACTIVE.
Neutron's own test drivers will not do: 'logger' never binds, 'test' asserts on
its own host names, and the agent-based ones need a live agent.
"""

from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.plugins import constants as plugin_constants
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api


class LabMechanismDriver(api.MechanismDriver):  # type: ignore[misc]
    def initialize(self) -> None:
        self.vif_details = {
            portbindings.CAP_PORT_FILTER: True,
            # True would make nova wait for network-vif-plugged on the
            # destination when it reverts a resize
            portbindings.OVS_HYBRID_PLUG: False,
        }
        for event in (events.AFTER_CREATE, events.AFTER_UPDATE):
            registry.subscribe(self._floating_ip_changed, resources.FLOATING_IP, event)

    @property
    def connectivity(self) -> str:
        return str(portbindings.CONNECTIVITY_L2)

    def bind_port(self, context: Any) -> None:
        # PortContext itself has no vnic_type
        if context.current[portbindings.VNIC_TYPE] != portbindings.VNIC_NORMAL:
            return
        context.set_binding(
            context.segments_to_bind[0][api.ID],
            portbindings.VIF_TYPE_OVS,
            self.vif_details,
            status=constants.PORT_STATUS_ACTIVE,
        )

    def create_port_postcommit(self, context: Any) -> None:
        port = context.current
        if (
            port["device_owner"] in constants.ROUTER_PORT_OWNERS
            and port["status"] != constants.PORT_STATUS_ACTIVE
        ):
            directory.get_plugin().update_port_status(
                context.plugin_context, port["id"], constants.PORT_STATUS_ACTIVE
            )

    update_port_postcommit = create_port_postcommit

    def _floating_ip_changed(self, resource: str, event: str, trigger: Any, payload: Any) -> None:
        del resource, event, trigger
        after = payload.latest_state
        associated = after.get("port_id") or after.get("fixed_port_id")
        wanted = (
            constants.FLOATINGIP_STATUS_ACTIVE if associated else constants.FLOATINGIP_STATUS_DOWN
        )
        if after.get("status") != wanted:
            directory.get_plugin(plugin_constants.L3).update_floatingip_status(
                payload.context, payload.resource_id, wanted
            )
