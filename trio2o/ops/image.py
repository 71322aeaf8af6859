# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501  one row, one line
"""Every operation of Glance's API (33.0.0, v2).

Rows are compared with Glance's own router by tests/conformance/test_tables.py.
"""

from trio2o.model import Service
from trio2o.ops import AnswerName, FoldName, Op, Ref, table
from trio2o.ops.listings import IMAGES
from trio2o.ops.words import (
    AGGREGATE,
    BY_ID,
    BY_POD,
    CREATE,
    IMAGE,
    LIST,
    LOCAL,
    REFUSED,
    REPLICATED,
    TASK,
)

SCHEMA, IMPORT_INFO, IMAGE_USAGE = AnswerName.SCHEMA, AnswerName.IMPORT_INFO, FoldName.IMAGE_USAGE

# glance/api/v2/tasks.py@33.0.0: administrators only, and deprecated in favour of import.
NO_TASKS = "Tasks are not offered. Use POST /v2/images/{image_id}/import."

# One that there is already is refused by the pod that has it.
CHOSEN_ID = (Ref("id", IMAGE, loose=True),)

# fmt: off
OPERATIONS = table(
    Service.IMAGE,
    # What the service is
    Op("GET    /schemas/image", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/images", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/member", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/members", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/task", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/tasks", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/namespace", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/namespaces", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/resource_type", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/resource_types", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/property", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/properties", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/object", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/objects", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/tag", LOCAL, answer=SCHEMA),
    Op("GET    /schemas/metadefs/tags", LOCAL, answer=SCHEMA),
    Op("GET    /info/import", LOCAL, answer=IMPORT_INFO),
    # Images
    Op("GET    /images", LIST, IMAGE, listing=IMAGES),
    Op("POST   /images", CREATE, IMAGE, made_at="id", refs=CHOSEN_ID),
    Op("PATCH  /images/{image}", BY_ID, IMAGE),
    Op("GET    /images/{image}", BY_ID, IMAGE),
    Op("DELETE /images/{image}", BY_ID, IMAGE),
    # Image data
    Op("GET    /images/{image}/tasks", BY_ID, IMAGE),
    Op("POST   /images/{image}/import", BY_ID, IMAGE),
    Op("POST   /images/{image}/actions/deactivate", BY_ID, IMAGE),
    Op("POST   /images/{image}/actions/reactivate", BY_ID, IMAGE),
    Op("GET    /images/{image}/file", BY_ID, IMAGE, download=True),
    Op("PUT    /images/{image}/file", BY_ID, IMAGE, upload=True),
    Op("PUT    /images/{image}/stage", BY_ID, IMAGE, upload=True),
    Op("POST   /images/{image}/locations", BY_ID, IMAGE),
    Op("GET    /images/{image}/locations", BY_ID, IMAGE),
    # Tags and members
    Op("PUT    /images/{image}/tags/{tag}", BY_ID, IMAGE),
    Op("DELETE /images/{image}/tags/{tag}", BY_ID, IMAGE),
    Op("GET    /images/{image}/members", BY_ID, IMAGE),
    Op("POST   /images/{image}/members", BY_ID, IMAGE),
    Op("GET    /images/{image}/members/{member}", BY_ID, IMAGE),
    Op("PUT    /images/{image}/members/{member}", BY_ID, IMAGE),
    Op("DELETE /images/{image}/members/{member}", BY_ID, IMAGE),
    # Tasks
    Op("POST   /tasks", REFUSED, reason=NO_TASKS),
    Op("GET    /tasks", BY_POD),
    Op("GET    /tasks/{task}", BY_ID, TASK),
    # Metadata definitions
    Op("GET    /metadefs/resource_types", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/resource_types", REPLICATED, definition="metadef"),
    Op("POST   /metadefs/namespaces/{namespace}/resource_types", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/resource_types/{resource_type}", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces", REPLICATED, definition="metadef"),
    Op("POST   /metadefs/namespaces", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}", REPLICATED, definition="metadef"),
    Op("PUT    /metadefs/namespaces/{namespace}", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/properties", REPLICATED, definition="metadef"),
    Op("POST   /metadefs/namespaces/{namespace}/properties", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/properties", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/properties/{property}", REPLICATED, definition="metadef"),
    Op("PUT    /metadefs/namespaces/{namespace}/properties/{property}", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/properties/{property}", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/objects", REPLICATED, definition="metadef"),
    Op("POST   /metadefs/namespaces/{namespace}/objects", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/objects", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/objects/{object}", REPLICATED, definition="metadef"),
    Op("PUT    /metadefs/namespaces/{namespace}/objects/{object}", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/objects/{object}", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/tags", REPLICATED, definition="metadef"),
    Op("POST   /metadefs/namespaces/{namespace}/tags", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/tags", REPLICATED, definition="metadef"),
    Op("GET    /metadefs/namespaces/{namespace}/tags/{tag}", REPLICATED, definition="metadef"),
    Op("POST   /metadefs/namespaces/{namespace}/tags/{tag}", REPLICATED, definition="metadef"),
    Op("PUT    /metadefs/namespaces/{namespace}/tags/{tag}", REPLICATED, definition="metadef"),
    Op("DELETE /metadefs/namespaces/{namespace}/tags/{tag}", REPLICATED, definition="metadef"),
    # Usage
    Op("GET    /info/usage", AGGREGATE, fold=IMAGE_USAGE),
    # The pods' own stores and caches
    Op("DELETE /stores/{store}/{image}", BY_POD),
    Op("GET    /info/stores", BY_POD),
    Op("GET    /info/stores/detail", BY_POD),
    Op("GET    /cache", BY_POD),
    Op("DELETE /cache", BY_POD),
    Op("DELETE /cache/{image}", BY_POD),
    Op("PUT    /cache/{image}", BY_POD),
    Op("GET    /cache/nodes/{image}", BY_POD),
    Op("POST   /cache/clean", BY_POD),
    Op("POST   /cache/prune", BY_POD),
)
# fmt: on
