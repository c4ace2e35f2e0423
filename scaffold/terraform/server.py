"""A server of provider schemas: all providers in one process, for any number of Terraform processes.

Terraform connects to a provider that already runs when ``TF_REATTACH_PROVIDERS`` names its socket. Each
provider has a socket of its own, because a request does not say which provider it is meant for. The sockets
are plain and lie in a directory that only this user can enter. The server keeps no state but the schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import grpc

from scaffold.terraform import plugin_pb2 as pb
from scaffold.terraform import protocol

_THREADS = 8
_LARGEST_MESSAGE = 64 << 20
_GRACE = 1.0
_EMPTY = b""
"""A message without fields: nothing to say, and nothing to object to."""
_AGREED = (
    "ValidateProviderConfig",
    "ValidateResourceConfig",
    "ValidateDataResourceConfig",
    "ConfigureProvider",
    "StopProvider",
)
"""The calls that are answered by an empty message, whatever they say."""


class SchemaServer(AbstractContextManager["SchemaServer"]):
    """Serves provider schemas on unix sockets until it is closed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="schemas")
        self._servers: list[grpc.Server] = []
        self._providers: dict[Path, _Provider] = {}

    def serve(self, schema: Mapping[str, Any], socket: Path) -> None:
        """Serve one provider (an entry of ``provider_schemas``) on a socket, from now on instead of another.

        The directory of the socket is the caller's, to keep private and to remove; its path has to be short.
        To change what a socket serves costs a hundredth of what it costs to open one.
        """
        if socket in self._providers:
            self._providers[socket].serve(schema)
            return
        provider = self._providers[socket] = _Provider(schema)
        server = grpc.server(self._pool, options=[("grpc.max_receive_message_length", _LARGEST_MESSAGE)])
        server.add_generic_rpc_handlers((provider.handlers(), *_plugin_handlers()))
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        self._servers.append(server)

    def __exit__(self, *error: object) -> None:
        """Stop serving, at once. What does not stop in time may still take calls, and keeps the pool."""
        stopped = [server.stop(grace=None) for server in self._servers]
        if all(one.wait(_GRACE) for one in stopped):
            self._pool.shutdown(wait=False, cancel_futures=True)


class _Provider:
    """One provider: its schema, and the calls that ``init``, ``validate``, ``plan`` and ``show`` make."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.serve(schema)

    def serve(self, schema: Mapping[str, Any]) -> None:
        """Answer with this schema from now on."""
        self._resources = schema.get("resource_schemas", {})
        self._schema = protocol.schema_response(schema)

    def handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        calls = {
            **{name: _unary(lambda _: _EMPTY) for name in _AGREED},
            "GetProviderSchema": _unary(lambda _: self._schema),
            "PlanResourceChange": _unary(self._plan),
            "ReadDataSource": _unary(_refuse_to_read),
        }
        return grpc.method_handlers_generic_handler("tfplugin6.Provider", calls)

    def _plan(self, message: bytes) -> bytes:
        request = pb.PlanResourceChange.Request.FromString(message)
        block = self._resources[request.type_name]["block"]
        return pb.PlanResourceChange.Response(
            planned_state=protocol.planned(block, request.proposed_new_state),
            # Terraform then tolerates what the older SDK tolerates: defaults that only the provider knows.
            legacy_type_system=True,
        ).SerializeToString()


def _refuse_to_read(message: bytes) -> bytes:
    """Data is never read: the working copy defers every data source, and this is the second safeguard."""
    request = pb.ReadDataSource.Request.FromString(message)
    return pb.ReadDataSource.Response(
        diagnostics=[
            pb.Diagnostic(
                severity=pb.Diagnostic.ERROR,
                summary="Data is not read offline",
                detail=f"{request.type_name} would have to be read from a live system.",
            )
        ]
    ).SerializeToString()


def _plugin_handlers() -> Iterable[grpc.GenericRpcHandler[Any, Any]]:
    """The services of go-plugin that every plugin has besides its own."""
    yield grpc.method_handlers_generic_handler(
        "plugin.GRPCController", {"Shutdown": _unary(lambda _: _EMPTY)}
    )
    yield grpc.method_handlers_generic_handler(
        "plugin.GRPCStdio",
        {"StreamStdio": grpc.unary_stream_rpc_method_handler(lambda message, context: iter(()))},
    )


def _unary(answer: Callable[[bytes], bytes]) -> grpc.RpcMethodHandler[bytes, bytes]:
    """A call from message to message, both as bytes."""
    return grpc.unary_unary_rpc_method_handler(lambda message, context: answer(message))
