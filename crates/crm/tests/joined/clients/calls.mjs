// What a program does with a client of Connect or gRPC-Web that is not ours: create, get, list, change, be refused, export.
// In Node and in a browser alike; the modules and the transport come from there.

export function check(is, ...said) {
    if (!is) throw new Error(said.map((one) => (one instanceof Error ? String(one) : JSON.stringify(one))).join(" "));
}

async function refusal(call, registry) {
    try {
        const answer = await call();
        throw new Error(`answered ${JSON.stringify(answer)}`);
    } catch (error) {
        check(typeof error.findDetails === "function", error);
        const detail = (name) => error.findDetails(registry.getMessage(`google.rpc.${name}`))[0];
        const fields = detail("BadRequest")?.fieldViolations.map((one) => one.field) ?? [];
        return { code: error.code, reason: detail("ErrorInfo")?.reason, fields, said: error.message };
    }
}

export async function useClient({ createClient, Code }, registry, transport, { isJson, streams }) {
    const client = createClient(registry.getService("crm.customers.v1.AccountService"), transport);
    const owner = `client-${crypto.randomUUID()}`;
    const create = (account) => client.createAccount({ account, requestId: crypto.randomUUID() });
    const made = [];
    for (const employees of [1, 2, 3]) {
        made.push(await create({ name: `Client ${employees}`, owner, employees, annualRevenue: { currencyCode: "EUR", units: 12n } }));
    }
    check(made[0].employees === 1 && made[0].annualRevenue.units === 12n, "created", made[0].name);

    const id = made[0].id;
    let headers;
    const got = await client.getAccount({ id }, { timeoutMs: 30_000, onHeader: (had) => (headers = had) });
    check(got.owner === owner && got.etag === made[0].etag, "got", got.name);
    check(headers.get("x-crm-timeout") === "30s", "the deadline is understood", [...headers]);

    const found = [];
    for (let pageToken = ""; ; ) {
        const page = await client.listAccounts({ filter: `owner = "${owner}"`, pageSize: 2, pageToken });
        check(page.accounts.length <= 2, "listed", page.accounts.length);
        found.push(...page.accounts.map((account) => account.id));
        if (!(pageToken = page.nextPageToken)) break;
    }
    check(found.join() === made.map((account) => account.id).join(), "listed", found);

    const update = (country, etag) => client.updateAccount({ account: { id, country, etag }, updateMask: { paths: ["country"] } });
    const changed = await update("France", got.etag);
    check(changed.country === "France" && changed.owner === owner && changed.etag !== got.etag, "changed", changed.country);

    const stale = await refusal(() => update("Spain", got.etag), registry);
    check(stale.code === Code.Aborted && stale.reason === "ETAG_MISMATCH", "stale", stale);
    const missing = await refusal(() => client.getAccount({ id: crypto.randomUUID() }), registry);
    check(missing.code === Code.NotFound && missing.reason === "ACCOUNT_NOT_FOUND", "missing", missing);
    const wrong = await refusal(() => create({ name: "", annualRevenue: { currencyCode: "???" } }), registry);
    const revenue = isJson ? "account.annualRevenue" : "account.annual_revenue";
    check(wrong.code === Code.InvalidArgument && wrong.fields.some((field) => field.startsWith(revenue)), "wrong", wrong);

    const all = async (filter) => {
        const ids = [];
        for await (const account of client.exportAccounts({ filter })) ids.push(account.id);
        return ids;
    };
    if (streams) {
        const exported = await all(`owner = "${owner}"`);
        check(exported.sort().join() === [...found].sort().join(), "exported", exported);
        const bad = await refusal(() => all("x"), registry);
        check(bad.code === Code.InvalidArgument && bad.reason === "FILTER_INVALID", "no filter", bad);
    } else {
        // Which is what this client makes of any 415 to a stream.
        const refused = await refusal(() => all(""), registry);
        check(refused.code === Code.Unknown && refused.said.includes("415"), "streams are for gRPC-Web", refused);
    }
}

// One after the other, each named by what it is.
export async function useAll(modules, registry, transports) {
    for (const [name, transport, kind] of transports) {
        try {
            await useClient(modules, registry, transport, kind);
        } catch (error) {
            throw new Error(`${name}: ${error.message}`, { cause: error });
        }
    }
}
