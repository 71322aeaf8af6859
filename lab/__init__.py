# SPDX-License-Identifier: Apache-2.0
"""The lab: real OpenStack clouds ("pods") behind one Keystone, on one machine."""
