# SPDX-License-Identifier: Apache-2.0
"""What may differ between the pod in memory and a real one, each with its reason."""

import ast
import re

# (pattern of a line of either, why it is not compared)
_LEFT_OUT: tuple[tuple[str, str], ...] = (
    (r"openstack-image-store-ids: |\.stores\[\d+\]", "as the lab's stores are configured"),
)
# (pattern, why only the type of the value is compared)
_LOOSE: tuple[tuple[str, str], ...] = (
    (r"\.adminPass = ", "made by chance"),
    (r"power_state = ", "the lab's driver knows of running and not running only"),
    (r"\.used = |\.usages\.|\.(allocated|free)_capacity_gb = ", "others use the lab too"),
    (r"message = 'Flavor access (already|not)", "names the flavor by its row in the database"),
    (r"\.(resource_provider_)?generation = ", "counts what happened before"),
    (r"volume-summary\.metadata\.n\[", "in the order of a set"),
    (r"networks?(\[0\])?\.(mtu|is_default|revision_number)", "as the lab's network was made"),
)


def expected(ours: str, theirs: str) -> tuple[list[str], list[str]]:
    """The lines of one answer of each, without what may differ."""
    return _lines(ours), _lines(theirs)


def _lines(text: str) -> list[str]:
    kept = []
    for line in text.splitlines():
        if any(re.search(pattern, line) for pattern, _ in _LEFT_OUT):
            continue
        for pattern, _ in _LOOSE:
            if re.search(pattern, line):
                kept.append(_typed(line))
                break
        else:
            kept.append(line)
    return kept


def _typed(line: str) -> str:
    key, _, value = line.partition(" = ")
    return f"{key} = <{type(ast.literal_eval(value)).__name__}>"
