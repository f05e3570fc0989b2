"""Calls a gateway as gRPC's own library does: packed both ways, and in the ways that are refused.

Arguments: the gateway's address, a token.
"""

import sys
import threading

import grpc

ADDRESS, TOKEN = sys.argv[1:]
SERVICE = "/crm.customers.v1.AccountService/"
SOON = 20
CODE = grpc.StatusCode


def text(field, value):
    """A string field of a message, by hand: no generated code."""
    data, length = value.encode(), b""
    rest = len(data)
    while rest > 127:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return bytes([field << 3 | 2]) + length + bytes([rest]) + data


def account(channel, id, **options):
    return channel.unary_unary(SERVICE + "GetAccount")(text(1, id), metadata=metadata(), timeout=SOON, **options)


def metadata(*more):
    return [("authorization", "Bearer " + TOKEN), *more]


def refused(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return
    raise AssertionError(f"not refused: {code}")


def check(channel):
    name = "n" * 2_000
    assert account(channel, "7").startswith(text(1, "7"))
    # Field by field: what is asked for comes back whole, however it travelled.
    large = account(channel, "large")
    assert large.count(b"x") >= 2 << 20, len(large)
    nested = text(1, "7") + text(2, name)
    created = bytes([1 << 3 | 2, len(nested) & 127 | 128, len(nested) >> 7]) + nested + text(2, "1")
    answer = channel.unary_unary(SERVICE + "CreateAccount")(created, metadata=metadata(), timeout=SOON)
    assert name.encode() in answer, answer
    export = channel.unary_stream(SERVICE + "ExportAccounts")
    assert len(list(export(text(1, "300"), metadata=metadata(), timeout=SOON))) == 300

    two = channel.stream_unary(SERVICE + "GetAccount")
    refused(CODE.UNIMPLEMENTED, lambda: two(iter([text(1, "7")] * 2), metadata=metadata(), timeout=SOON))
    refused(CODE.UNIMPLEMENTED, lambda: two(iter([]), metadata=metadata(), timeout=SOON))
    get = channel.unary_unary(SERVICE + "GetAccount")
    refused(CODE.RESOURCE_EXHAUSTED, lambda: get(text(1, "x" * (5 << 20)), metadata=metadata(), timeout=SOON))
    long = metadata(("x-long", "x" * 20_000))
    refused(CODE.RESOURCE_EXHAUSTED, lambda: get(text(1, "7"), metadata=long, timeout=SOON))

    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(text(1, "no.such.Service"), timeout=SOON)
    assert next(watch) == b"\x08\x03", "SERVICE_UNKNOWN"
    more = threading.Thread(target=lambda: next(watch, None), daemon=True)
    more.start()
    more.join(0.1)
    assert more.is_alive(), "the watch goes on"
    watch.cancel()


for packing in [grpc.Compression.NoCompression, grpc.Compression.Gzip]:
    with grpc.insecure_channel(ADDRESS, compression=packing) as channel:
        check(channel)
with grpc.insecure_channel(ADDRESS, compression=grpc.Compression.Deflate) as channel:
    refused(CODE.UNIMPLEMENTED, lambda: account(channel, "7" * 1_000))
print("well")
