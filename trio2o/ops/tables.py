# SPDX-License-Identifier: Apache-2.0
"""The tables of all services."""

from trio2o.ops import compute, image, volume

TABLES = (compute.OPERATIONS, volume.OPERATIONS, image.OPERATIONS)
