# SPDX-License-Identifier: Apache-2.0
"""The parts of the lab that run inside the OpenStack services of a pod."""
