# SPDX-License-Identifier: Apache-2.0
"""The words that the tables are written with: short names of classes and kinds."""

from trio2o.model import Kind
from trio2o.ops import RoutingClass

LOCAL = RoutingClass.LOCAL
BY_ID = RoutingClass.BY_ID
BY_REF = RoutingClass.BY_REF
LIST = RoutingClass.LIST
CREATE = RoutingClass.CREATE
REPLICATED = RoutingClass.REPLICATED
AGGREGATE = RoutingClass.AGGREGATE
QUOTA = RoutingClass.QUOTA
SPLIT = RoutingClass.SPLIT
BY_POD = RoutingClass.BY_POD
GONE = RoutingClass.GONE
REFUSED = RoutingClass.REFUSED

SERVER = Kind.SERVER
SERVER_GROUP = Kind.SERVER_GROUP
VOLUME = Kind.VOLUME
SNAPSHOT = Kind.SNAPSHOT
BACKUP = Kind.BACKUP
GROUP = Kind.GROUP
GROUP_SNAPSHOT = Kind.GROUP_SNAPSHOT
CONSISTENCY_GROUP = Kind.CONSISTENCY_GROUP
CGSNAPSHOT = Kind.CGSNAPSHOT
ATTACHMENT = Kind.ATTACHMENT
TRANSFER = Kind.TRANSFER
MESSAGE = Kind.MESSAGE
IMAGE = Kind.IMAGE
TASK = Kind.TASK
CONSOLE_TOKEN = Kind.CONSOLE_TOKEN
NETWORK = Kind.NETWORK
PORT = Kind.PORT
