// Connect's client for Node, over each protocol, codec and version of HTTP that the gateway speaks with it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { check, useAll } from "./calls.mjs";

// The packages lie where `deploy/ensure rpc-clients` has put them.
const require = createRequire(`${process.env.RPC_CLIENTS}/`);
const { createFileRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");
const connect = require("@connectrpc/connect");
const { compressionGzip, createConnectTransport, createGrpcWebTransport } = require("@connectrpc/connect-node");

const baseUrl = process.env.CRM_URL;
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.env.CRM_DESCRIPTORS)));
const authorize = (next) => (request) => {
    request.header.set("authorization", `Bearer ${process.env.CRM_TOKEN}`);
    return next(request);
};
const options = (httpVersion, more) => ({ baseUrl, httpVersion, interceptors: [authorize], ...more });

const gzip = { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 1 };

const transports = ["1.1", "2"].flatMap((version) => [
    [`Connect in JSON over ${version}`, createConnectTransport(options(version, { useBinaryFormat: false })), { isJson: true }],
    [`Connect in bytes over ${version}`, createConnectTransport(options(version, { useBinaryFormat: true })), {}],
    [`gRPC-Web over ${version}`, createGrpcWebTransport(options(version, {})), { streams: true }],
    [`gRPC-Web in gzip over ${version}`, createGrpcWebTransport(options(version, gzip)), { streams: true }],
]);
await useAll(connect, registry, transports);

// Who has no token is told so in the protocol that it speaks; a deadline that has passed, too.
for (const [transport, late] of [
    [createConnectTransport({ baseUrl, httpVersion: "1.1" }), undefined],
    [createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }), undefined],
    [createGrpcWebTransport(options("1.1", {})), { "grpc-timeout": "1n" }],
]) {
    const client = connect.createClient(registry.getService("crm.customers.v1.AccountService"), transport);
    const expected = late ? connect.Code.DeadlineExceeded : connect.Code.Unauthenticated;
    await client.getAccount({ id: "" }, { headers: late }).then(
        () => check(false, "answered"),
        (error) => check(error.code === expected, error.code, error),
    );
}
console.log("finished");
process.exit(0);
