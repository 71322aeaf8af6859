# SPDX-License-Identifier: Apache-2.0
"""Turn a subunit stream into a JSON object: test id -> pass, fail or skip.

    stestr last --subunit | python -m labkit.results

An id has no attributes (``[id-...,smoke]``). A class that is skipped or fails
as a whole is one result, ``setUpClass (module.Class)``.
"""

import json
import sys
from typing import Any

import subunit
import testtools

RESULTS = {"success": "pass", "skip": "skip"}


def main() -> None:
    results: dict[str, str] = {}

    def keep(test: dict[str, Any]) -> None:
        if test["status"] != "exists":
            # a test that was not seen to end has failed
            name = test["id"].partition("[")[0]
            results[name] = RESULTS.get(test["status"], "fail")

    stream = testtools.StreamToDict(keep)
    stream.startTestRun()
    subunit.ByteStreamToStreamResult(sys.stdin.buffer).run(stream)
    stream.stopTestRun()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
