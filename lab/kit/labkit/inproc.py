# SPDX-License-Identifier: Apache-2.0
"""An oslo.messaging driver between the threads of one process.

As RabbitMQ does, and oslo.messaging's own fake driver does not, it
* copies: context, message, answer and exception travel as JSON, so nobody
  holds another service's objects;
* wakes the receiver at once (the fake driver looks every 50 ms);
* drops what nobody listens to (the fake driver keeps it for ever).
"""

import collections
import queue
import threading
import time
from typing import Any

import oslo_messaging
from oslo_messaging._drivers import base, common
from oslo_serialization import jsonutils

# Exchange, topic, and the server or None for whoever listens first
Key = tuple[str, str, str | None]

_queues: dict[Key, collections.deque[Any]] = collections.defaultdict(collections.deque)
_changed = threading.Condition()


def _copy(thing: Any) -> Any:
    return jsonutils.loads(jsonutils.dumps(thing))


class Incoming(base.RpcIncomingMessage):  # type: ignore[misc]
    def __init__(self, key: Key, ctxt: Any, message: Any, answers: Any) -> None:
        super().__init__(ctxt, message)
        self._key, self._answers = key, answers

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        if self._answers is not None:
            if failure:
                failure = common.serialize_remote_exception(failure)
            self._answers.put((_copy(reply), failure))

    def requeue(self) -> None:
        with _changed:
            _queues[self._key].append((self.ctxt, self.message, self._answers))
            _changed.notify_all()

    def heartbeat(self) -> None:
        pass


class Listener(base.PollStyleListener):  # type: ignore[misc]
    def __init__(self, keys: list[Key]) -> None:
        super().__init__()
        self._keys, self._stopped = keys, False
        with _changed:
            for key in keys:
                _queues[key]  # from now on messages are kept

    @base.batch_poll_helper
    def poll(self, timeout: float | None = None) -> Incoming | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        with _changed:
            while not self._stopped:
                for key in self._keys:
                    if _queues[key]:
                        return Incoming(key, *_queues[key].popleft())
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    break
                _changed.wait(left)
        return None

    def stop(self) -> None:
        with _changed:
            self._stopped = True
            _changed.notify_all()


class InprocDriver(base.BaseDriver):  # type: ignore[misc]
    def require_features(self, requeue: bool = True) -> None:
        pass

    def send(
        self,
        target: Any,
        ctxt: Any,
        message: Any,
        wait_for_reply: bool | None = None,
        timeout: float | None = None,
        **_ignored: Any,
    ) -> Any:
        answers: queue.Queue[Any] | None = queue.Queue() if wait_for_reply else None
        address = (target.exchange or self._default_exchange, target.topic)
        with _changed:
            for key in list(_queues):
                wanted = key[2] is not None if target.fanout else key[2] == target.server
                if key[:2] == address and wanted:
                    _queues[key].append((_copy(ctxt), _copy(message), answers))
            _changed.notify_all()
        if answers is None:
            return None
        try:
            reply, failure = answers.get(timeout=timeout)
        except queue.Empty:
            raise oslo_messaging.MessagingTimeout(f"No reply on topic {target.topic}") from None
        if failure:
            raise common.deserialize_remote_exception(failure, self._allowed_remote_exmods)
        return reply

    def send_notification(
        self, target: Any, ctxt: Any, message: Any, version: Any, retry: Any = None
    ) -> None:
        del version, retry
        self.send(target, ctxt, message)

    def listen(self, target: Any, batch_size: int, batch_timeout: float | None) -> Any:
        exchange = target.exchange or self._default_exchange
        keys = [(exchange, target.topic, server) for server in (target.server, None)]
        return base.PollStyleListenerAdapter(Listener(keys), batch_size, batch_timeout)

    def listen_for_notifications(
        self, targets_and_priorities: Any, pool: Any, batch_size: int, batch_timeout: float | None
    ) -> Any:
        del pool
        keys = [
            (target.exchange or self._default_exchange, f"{target.topic}.{priority}", None)
            for target, priority in targets_and_priorities
        ]
        return base.PollStyleListenerAdapter(Listener(keys), batch_size, batch_timeout)

    def cleanup(self) -> None:
        pass
