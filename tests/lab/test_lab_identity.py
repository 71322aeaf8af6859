# SPDX-License-Identifier: Apache-2.0
"""What the lab puts into Keystone."""

from lab.identity import USERS, endpoints, environment
from lab.layout import Lab


def test_the_top_region_has_an_identity_endpoint_and_nothing_else(lab: Lab) -> None:
    made = endpoints(lab, lab.pods(2))
    assert [kind for region, kind, _ in made if region == "CentralRegion"] == ["identity"]


def test_every_pod_has_every_service_at_its_own_port(lab: Lab) -> None:
    made = {(region, kind): url for region, kind, url in endpoints(lab, lab.pods(2))}
    assert {kind for region, kind in made if region == "Pod2"} == {
        "compute", "volumev3", "block-storage", "image", "network", "placement", "identity",
    }  # fmt: skip
    assert made["Pod2", "compute"] == "http://127.0.0.1:40274/v2.1"
    assert made["Pod2", "volumev3"] == made["Pod2", "block-storage"]
    assert made["Pod1", "identity"] == made["CentralRegion", "identity"]


def test_the_gateway_is_a_service_user_like_the_others() -> None:
    assert USERS["trio2o"] == USERS["nova"]
    assert USERS["trio2o"].roles == ("admin", "service")


def test_two_ordinary_users_live_in_two_projects() -> None:
    assert USERS["demo"].project != USERS["alt"].project
    assert USERS["demo"].roles == USERS["alt"].roles == ("member",)


def test_a_users_environment_names_project_and_region(lab: Lab) -> None:
    assert environment(lab, "top", "alt") == {
        "OS_AUTH_URL": "http://127.0.0.1:40000/v3",
        "OS_USERNAME": "alt",
        "OS_PASSWORD": "lab",
        "OS_PROJECT_NAME": "alt",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": "CentralRegion",
        "OS_IDENTITY_API_VERSION": "3",
    }
    assert environment(lab, "pod2", "trio2o")["OS_PROJECT_NAME"] == "service"
