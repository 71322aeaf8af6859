# SPDX-License-Identifier: Apache-2.0
"""Many OpenStack clouds ("pods") that answer as one."""
