# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong, as one tree.

::

    Trio2oError
     +- CallerError            the request is at fault
     |   +- BadRequest             400
     |   +- Unauthenticated        401
     |   +- Forbidden              403
     |   +- NotFound               404
     |   +- MethodNotAllowed       405
     |   +- NotAcceptable          406
     |   +- Conflict               409
     |   +- Gone                   410
     |   +- TooLarge               413
     |   +- UnsupportedMediaType   415
     |   +- NotOffered             501  (an operation that Trio2o refuses or does not offer)
     +- PodError               a pod is at fault
     |   +- PodDidNotRespond       503
     |   +- PodUnusable            503  (no endpoint, not enabled, circuit open)
     |   +- NoRoom                 500, 400 or 409, as the service would say it
     +- OperatorError          the deployment is at fault
     |   +- IdentityUnavailable    503
     |   +- DatabaseUnavailable    503
     |   +- Misconfigured          exit code 2, at start
     +- Stale                  a compare-and-swap lost; the caller tries again or says 409

A reply of a pod, whatever its status, is a value and not an error (see model.Reply). The
body in which an error leaves is made in fault.py, for the service that the caller speaks to.
Messages say who, what, which id, and what to do.
"""

from typing import ClassVar


class Trio2oError(Exception):
    """Base of all.

    status: HTTP status.  code: stable text for our own API and for metrics.
    fault: who is at fault: caller, pod, operator, us.
    retryable: whether the same request may succeed later.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    fault: ClassVar[str] = "us"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers


class CallerError(Trio2oError):
    status = 400
    fault = "caller"


class BadRequest(CallerError):
    status = 400
    code = "bad-request"


class Unauthenticated(CallerError):
    status = 401
    code = "unauthenticated"


class Forbidden(CallerError):
    status = 403
    code = "forbidden"


class NotFound(CallerError):
    status = 404
    code = "not-found"


class MethodNotAllowed(CallerError):
    """allow: the methods that the path has."""

    status = 405
    code = "method-not-allowed"

    def __init__(self, message: str, allow: tuple[str, ...]) -> None:
        super().__init__(message, headers=(("Allow", ", ".join(allow)),))
        self.allow = allow


class NotAcceptable(CallerError):
    status = 406
    code = "not-acceptable"


class Conflict(CallerError):
    status = 409
    code = "conflict"


class Gone(CallerError):
    status = 410
    code = "gone"


class TooLarge(CallerError):
    status = 413
    code = "too-large"


class UnsupportedMediaType(CallerError):
    status = 415
    code = "unsupported-media-type"


class NotOffered(CallerError):
    status = 501
    code = "not-offered"


class PodError(Trio2oError):
    status = 503
    fault = "pod"
    retryable = True

    def __init__(self, pod_name: str, message: str) -> None:
        super().__init__(message)
        self.pod_name = pod_name


class PodDidNotRespond(PodError):
    """No reply: refused, reset, timed out, or not HTTP.

    may_have_acted: False only if the request cannot have reached the pod's service
        (connection refused, no connection in time).
    """

    code = "pod-did-not-respond"

    def __init__(self, pod_name: str, message: str, *, may_have_acted: bool) -> None:
        super().__init__(pod_name, message)
        self.may_have_acted = may_have_acted


class PodUnusable(PodError):
    """The pod was not asked: disabled, no endpoint in the catalogue, or its circuit is open."""

    code = "pod-unusable"


class NoRoom(PodError):
    """No pod can take the new resource."""

    status = 409
    code = "no-room"

    def __init__(self, message: str) -> None:
        super().__init__("", message)


class OperatorError(Trio2oError):
    status = 503
    fault = "operator"
    retryable = True


class IdentityUnavailable(OperatorError):
    code = "identity-unavailable"


class DatabaseUnavailable(OperatorError):
    code = "database-unavailable"


class Misconfigured(OperatorError):
    """A process cannot start so. The message names the option and what to do."""

    code = "misconfigured"
    retryable = False


class Stale(Trio2oError):
    """Somebody else changed the row first."""

    status = 409
    code = "stale"
    retryable = True
