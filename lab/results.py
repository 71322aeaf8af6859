# SPDX-License-Identifier: Apache-2.0
"""What became of each test, and what the gateway breaks. No I/O."""

import collections

# test id -> pass, fail or skip
Results = dict[str, str]


def summary(results: Results) -> str:
    """Return the counts, and before them the tests that failed."""
    counts = collections.Counter(results.values())
    failed = [f"FAILED {test}\n" for test, result in sorted(results.items()) if result == "fail"]
    return "".join(failed) + (
        f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped"
    )


def broken(pod: Results, top: Results) -> Results:
    """Return the tests that pass on the pod and not at the top, with what they do there.

    A test without a result at the top is ``absent``: its class failed or was
    skipped as a whole, or the run at the top was of fewer tests.
    """
    found = {test: top.get(test, "absent") for test, result in pod.items() if result == "pass"}
    return {test: result for test, result in sorted(found.items()) if result != "pass"}
