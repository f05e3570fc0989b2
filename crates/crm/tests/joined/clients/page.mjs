// What a page of another origin does with the gateway: REST by fetch, gRPC-Web and Connect by their clients.

import { createFileRegistry, fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import * as connect from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { GrpcWebClientBase, MethodDescriptor, MethodType } from "grpc-web";

import { check, useAll } from "./calls.mjs";

const asked = new URLSearchParams(location.search);
const [baseUrl, authorization] = [asked.get("gateway"), `Bearer ${asked.get("token")}`];
const SERVICE = "crm.customers.v1.AccountService";

async function useRest() {
    const rest = (method, path, headers, body) =>
        fetch(`${baseUrl}${path}`, {
            method,
            headers: { authorization, "content-type": "application/json", "x-crm-timeout": "30s", ...headers },
            body: body && JSON.stringify(body),
        });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const key = { "idempotency-key": crypto.randomUUID(), traceparent };
    const made = await rest("POST", "/v1/accounts", key, { name: "Page", owner: "page" });
    check(made.status === 200, "create", made.status);
    const [etag, trace] = ["etag", "x-trace-id"].map((name) => made.headers.get(name));
    check(etag && trace === traceparent.split("-")[1], "headers that can be read", [etag, trace]);
    const { id } = await made.json();
    const changed = await rest("PATCH", `/v1/accounts/${id}`, { "if-match": etag }, { country: "France" });
    check(changed.status === 200 && changed.headers.get("etag") !== etag, "change", changed.status);
    const stale = await rest("DELETE", `/v1/accounts/${id}`, { "if-match": etag });
    check(stale.status === 412, "stale", stale.status);
    const stranger = await rest("GET", `/v1/accounts/${id}`, { authorization: "" });
    check(stranger.status === 401 && (await stranger.json()).code === 16, "refusals can be read", stranger.status);
    const lines = await rest("GET", "/v1/accounts:export?filter=owner%3D%22page%22", {});
    check((await lines.text()).includes(id), "a stream can be read");
    const accept = { accept: "text/event-stream", "last-event-id": "of no use here" };
    const answer = await rest("GET", "/v1/accounts:export?filter=owner%3D%22page%22", accept);
    check(answer.headers.get("content-type") === "text/event-stream", "events", answer.status);
    let events = "";
    for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
        const { value, done } = await reader.read();
        if (done) break;
        events += value;
    }
    const data = events.match(/^data: (.*)$/gm).map((line) => JSON.parse(line.slice("data: ".length)));
    check(data.some((account) => account.id === id) && events.endsWith("event: end\ndata: {}\n\n"), "events", events);
}

// Google's own client, which speaks text in base64.
async function useGrpcWeb(registry) {
    const service = registry.getService(SERVICE);
    const client = new GrpcWebClientBase({ format: "text" });
    const describe = ({ name, input, output }, type) => {
        const write = (message) => toBinary(input, create(input, message));
        return new MethodDescriptor(`/${SERVICE}/${name}`, type, Object, Object, write, (bytes) => fromBinary(output, bytes));
    };
    const { createAccount, getAccount, exportAccounts } = service.method;
    const unary = (method, message) => {
        const descriptor = describe(method, MethodType.UNARY);
        return client.unaryCall(`${baseUrl}/${SERVICE}/${method.name}`, message, { authorization }, descriptor);
    };
    const owner = `text-${crypto.randomUUID()}`;
    const ids = [];
    for (const name of ["Text one", "Text two"]) {
        ids.push((await unary(createAccount, { account: { name, owner }, requestId: crypto.randomUUID() })).id);
    }
    check((await unary(getAccount, { id: ids[0] })).owner === owner, "text");
    await unary(getAccount, { id: crypto.randomUUID() }).then(
        () => check(false, "answered"),
        (error) => check(error.code === 5 && error.message.includes("no such account"), error.code, error),
    );
    const descriptor = describe(exportAccounts, MethodType.SERVER_STREAMING);
    const path = `${baseUrl}/${SERVICE}/${exportAccounts.name}`;
    const exported = await new Promise((done, fail) => {
        const found = [];
        const stream = client.serverStreaming(path, { filter: `owner = "${owner}"` }, { authorization }, descriptor);
        stream.on("data", (account) => found.push(account.id));
        stream.on("error", fail);
        stream.on("end", () => done(found));
    });
    check(exported.sort().join() === ids.sort().join(), "streamed as text", exported);
}

async function useEverything() {
    await useRest();
    const bytes = new Uint8Array(await (await fetch("/descriptors.bin")).arrayBuffer());
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
    const authorize = (next) => (request) => {
        request.header.set("authorization", authorization);
        request.header.set("x-of-this-page", "1");
        return next(request);
    };
    const options = { baseUrl, interceptors: [authorize] };
    await useAll(connect, registry, [
        ["Connect in JSON", createConnectTransport(options), { isJson: true }],
        ["gRPC-Web", createGrpcWebTransport(options), { streams: true }],
    ]);
    await useGrpcWeb(registry);
}

useEverything().then(
    () => (document.body.textContent = "finished"),
    (error) => (document.body.textContent = `failed: ${error.message}`),
);
