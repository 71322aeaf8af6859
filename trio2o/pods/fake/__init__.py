# SPDX-License-Identifier: Apache-2.0
"""An OpenStack cloud in memory, for tests and benchmarks of all who build on Trio2o.

    identity = FakeIdentity()
    pod = FakePod("Pod1", zone="az1", identity=identity)
    token = identity.token("demo", "demo", ("member",))
    transport = AsgiTransport(InMemory([pod]))

It is held to be the same as a real pod by tests/conformance/test_fake_pod.py.
"""

from trio2o.pods.fake.identity import FakeIdentity
from trio2o.pods.fake.pod import Call, FakePod, InMemory
from trio2o.pods.fake.seed import CIRROS
from trio2o.pods.fake.state import Behaviour, SteppingClock

__all__ = ["CIRROS", "Behaviour", "Call", "FakeIdentity", "FakePod", "InMemory", "SteppingClock"]
