//! Names of spans and keys of their attributes.

/// Names under which `tracing` knows the spans; a trace shows calls and statements under names of their own.
pub mod span {
    /// SERVER span of one gRPC call; shown as its full method.
    pub const RPC_SERVER: &str = "rpc.server";
    /// CLIENT span of one try of a call; shown as the full method.
    pub const RPC_CLIENT: &str = "rpc.client";
    /// CLIENT span of one SQL statement; shown as the question that it answers.
    pub const DB_STATEMENT: &str = "db.statement";
    /// INTERNAL span of one key read through both tiers of a cache.
    pub const CACHE_GET: &str = "cache.get";
    /// INTERNAL span of several keys read at once.
    pub const CACHE_GET_MANY: &str = "cache.get_many";
    /// INTERNAL span of one step of an operation; a trace of its own, linked to the call that asked for the operation.
    pub const OPERATION_STEP: &str = "operation.step";
    /// CONSUMER span of one batch of another service's changes; it links to the calls that made them.
    pub const FOLLOWER_BATCH: &str = "follower.batch";

    /// All of them, for the test that holds the documentation.
    pub const ALL: &[&str] =
        &[RPC_SERVER, RPC_CLIENT, DB_STATEMENT, CACHE_GET, CACHE_GET_MANY, OPERATION_STEP, FOLLOWER_BATCH];
}

/// Keys of span attributes.
pub mod attribute {
    /// Always `grpc` (RPC conventions).
    pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
    /// The full method, `crm.customers.v1.AccountService/GetAccount`, or `_OTHER` if this process does not know it.
    pub const RPC_METHOD: &str = "rpc.method";
    /// What the caller asked for where `rpc.method` is `_OTHER`, cut to 128 bytes.
    pub const RPC_METHOD_ORIGINAL: &str = "rpc.method_original";
    /// The gRPC status as text, `NOT_FOUND`.
    pub const RPC_STATUS_CODE: &str = "rpc.status_code";
    /// Why an operation failed: a status code, an SQLSTATE class, or `cancelled`.
    pub const ERROR_TYPE: &str = "error.type";
    /// The upstream's name on an attempt.
    pub const SERVER_ADDRESS: &str = "server.address";
    /// HTTP method of a call that came in over REST.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// The path template that matched, never the path itself.
    pub const HTTP_ROUTE: &str = "http.route";
    /// HTTP status that the caller was given.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// Always `postgresql` or `redis`.
    pub const DB_SYSTEM_NAME: &str = "db.system.name";
    /// The statement with placeholders, never with values.
    pub const DB_QUERY_TEXT: &str = "db.query.text";
    /// The question that the statement answers, `find_accounts`.
    pub const DB_QUERY_SUMMARY: &str = "db.query.summary";
    /// `SELECT`, `INSERT`, `GET`, …
    pub const DB_OPERATION_NAME: &str = "db.operation.name";
    /// How many rows came back.
    pub const DB_RESPONSE_RETURNED_ROWS: &str = "db.response.returned_rows";
    /// Ordinal of the replica that an attempt went to.
    pub const REPLICA: &str = "crm.replica";
    /// The balancing policy that chose it.
    pub const POLICY: &str = "crm.policy";
    /// Which try of the call this is, from 1.
    pub const ATTEMPT: &str = "crm.attempt";
    /// The injected fault that struck this call: `delay`, `error`, `delay, error` or `hang`.
    pub const FAULT: &str = "crm.fault";
    /// The cache's name, `accounts`.
    pub const CACHE_NAME: &str = "crm.cache.name";
    /// Which tier answered: `l1`, `l2` or `none`.
    pub const CACHE_TIER: &str = "crm.cache.tier";
    /// `hit`, `miss`, `negative` or `shared`.
    pub const CACHE_OUTCOME: &str = "crm.cache.outcome";
    /// How many keys a batch asked for.
    pub const CACHE_KEYS: &str = "crm.cache.keys";
    /// What an operation does, `ReassignAccounts`.
    pub const OPERATION_KIND: &str = "crm.operation.kind";
    /// The operation's id.
    pub const OPERATION_ID: &str = "crm.operation.id";
    /// Who follows: the name of a follower.
    pub const FOLLOWER: &str = "crm.follower";
    /// Whom it follows: a service.
    pub const FOLLOWER_SOURCE: &str = "crm.follower.source";
    /// How many changes the batch has.
    pub const FOLLOWER_CHANGES: &str = "crm.follower.changes";
    /// What became of the batch: as the label `outcome` of `crm_follower_batches_total`, or `none` where nothing was new.
    pub const FOLLOWER_OUTCOME: &str = "crm.follower.outcome";

    /// All of them, for the test that holds the documentation.
    pub const ALL: &[&str] = &[
        RPC_SYSTEM_NAME,
        RPC_METHOD,
        RPC_METHOD_ORIGINAL,
        RPC_STATUS_CODE,
        ERROR_TYPE,
        SERVER_ADDRESS,
        HTTP_REQUEST_METHOD,
        HTTP_ROUTE,
        HTTP_RESPONSE_STATUS_CODE,
        DB_SYSTEM_NAME,
        DB_QUERY_TEXT,
        DB_QUERY_SUMMARY,
        DB_OPERATION_NAME,
        DB_RESPONSE_RETURNED_ROWS,
        REPLICA,
        POLICY,
        ATTEMPT,
        FAULT,
        CACHE_NAME,
        CACHE_TIER,
        CACHE_OUTCOME,
        CACHE_KEYS,
        OPERATION_KIND,
        OPERATION_ID,
        FOLLOWER,
        FOLLOWER_SOURCE,
        FOLLOWER_CHANGES,
        FOLLOWER_OUTCOME,
    ];
}
