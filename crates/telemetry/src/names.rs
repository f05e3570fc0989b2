//! Every span, attribute and metric name of the platform, in one place.
//!
//! `docs/telemetry.md` describes them for people; a test compares the two, so neither can drift.
//! Where OpenTelemetry's semantic conventions (v1.45) have a name, it is theirs; the rest begins with `crm.`.

mod traces;

pub use traces::{attribute, span};

/// Label keys of metrics. Short, because Prometheus shows them on every series.
pub mod label {
    /// Full gRPC method, or `_OTHER`.
    pub const METHOD: &str = "method";
    /// `ok`, `error` or `cancelled`; other instruments list their own values.
    pub const OUTCOME: &str = "outcome";
    /// gRPC status as text.
    pub const CODE: &str = "code";
    /// The upstream's name, `customers`.
    pub const UPSTREAM: &str = "upstream";
    /// A replica's ordinal.
    pub const REPLICA: &str = "replica";
    /// A replica's or a connection's state.
    pub const STATE: &str = "state";
    /// Why something was dropped, refused or ejected.
    pub const REASON: &str = "reason";
    /// The cache's name.
    pub const CACHE: &str = "cache";
    /// `l1` or `l2`.
    pub const TIER: &str = "tier";
    /// A Redis or SQL operation.
    pub const OPERATION: &str = "operation";
    /// What an operation of the API does, `ReassignAccounts`.
    pub const KIND: &str = "kind";
    /// What is watched.
    pub const RESOURCE: &str = "resource";
    /// The name of a follower.
    pub const FOLLOWER: &str = "follower";
    /// Which task of a process.
    pub const TASK: &str = "task";
    /// The service that is followed.
    pub const SOURCE: &str = "source";
}

/// What kind of instrument a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; Prometheus' name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

/// One metric: the only place where its name, unit, labels and buckets stand.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// OpenTelemetry's name, with dots.
    pub name: &'static str,
    /// Which instrument.
    pub kind: Kind,
    /// UCUM unit: `s`, `By`, or empty for a plain count.
    pub unit: &'static str,
    /// Label keys, all of them present on each series.
    pub labels: &'static [&'static str],
    /// Upper bounds, for histograms only.
    pub buckets: &'static [f64],
    /// One sentence for people; it is the `# HELP` line.
    pub help: &'static str,
}

/// Seconds, from a read out of the first cache tier to a call that ran into its deadline.
pub const LATENCY_SECONDS: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.007_5, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
    10.0,
];

/// Seconds, for what happens inside a process or one network hop away.
pub const SHORT_SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Seconds, for work that no caller waits for.
pub const LONG_SECONDS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0];

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit: "", labels, buckets: &[], help }
}

const fn gauge(name: &'static str, unit: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, labels, buckets: &[], help }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram, unit: "s", labels, buckets, help }
}

use label::{
    CACHE, CODE, FOLLOWER, KIND, METHOD, OPERATION, OUTCOME, REASON, REPLICA, RESOURCE, SOURCE, STATE, TASK, TIER,
    UPSTREAM,
};

/// SLOs read this one.
pub const RPC_SERVER_CALLS: Metric =
    counter("crm.rpc.server.calls", &[METHOD, OUTCOME], "Calls that ended, by method and outcome.");
/// Which error it was; nothing is counted for a call that went well.
pub const RPC_SERVER_ERRORS: Metric =
    counter("crm.rpc.server.errors", &[METHOD, CODE], "Calls that ended with another status than OK.");
/// Named by the RPC conventions.
pub const RPC_SERVER_DURATION: Metric =
    histogram("rpc.server.call.duration", &[METHOD], LATENCY_SECONDS, "How long calls took, from headers to trailers.");
/// Includes streams that are still being read.
pub const RPC_SERVER_IN_FLIGHT: Metric =
    gauge("crm.rpc.server.in_flight", "", &[], "Calls that have begun and not ended.");

/// One logical call of a client, whatever the number of its attempts.
pub const UPSTREAM_CALLS: Metric =
    counter("crm.upstream.calls", &[UPSTREAM, OUTCOME], "Calls to an upstream, however many tries each took.");
/// Per replica, without the method.
pub const UPSTREAM_ATTEMPTS: Metric =
    counter("crm.upstream.attempts", &[UPSTREAM, REPLICA, OUTCOME], "Tries sent to a replica.");
/// Per replica, without the method.
pub const UPSTREAM_ATTEMPT_DURATION: Metric = histogram(
    "crm.upstream.attempt.duration",
    &[UPSTREAM, REPLICA],
    LATENCY_SECONDS,
    "How long a replica took to answer one try.",
);
/// Requests that wait for a replica's answer.
pub const UPSTREAM_IN_FLIGHT: Metric =
    gauge("crm.upstream.in_flight", "", &[UPSTREAM, REPLICA], "Tries that a replica has not answered.");
/// What peak EWMA and the live room look at.
pub const UPSTREAM_LATENCY: Metric =
    gauge("crm.upstream.latency", "s", &[UPSTREAM, REPLICA], "Moving average of a replica's latency.");
/// 1 for the state that the replica is in, 0 for the others.
pub const UPSTREAM_REPLICAS: Metric =
    gauge("crm.upstream.replica_state", "", &[UPSTREAM, REPLICA, STATE], "1 for the state a replica is in.");
/// Outlier ejections.
pub const UPSTREAM_EJECTIONS: Metric =
    counter("crm.upstream.ejections", &[UPSTREAM, REPLICA, REASON], "Times a replica was ejected, and why.");
/// `sent`, `budget_empty`, `not_retryable`.
pub const UPSTREAM_RETRIES: Metric = counter(
    "crm.upstream.retries",
    &[UPSTREAM, OUTCOME],
    "Failed tries that could be retried, and what became of them.",
);
/// Tokens left.
pub const UPSTREAM_RETRY_BUDGET: Metric =
    gauge("crm.upstream.retry_budget", "", &[UPSTREAM], "Retries that the budget would pay for now.");
/// 1 while too few replicas are healthy and calls go to all that are connected.
pub const UPSTREAM_PANIC: Metric =
    gauge("crm.upstream.panic", "", &[UPSTREAM], "1 while calls are spread over unhealthy replicas, too.");
/// Load shedding of the client stack.
pub const UPSTREAM_SHED: Metric =
    counter("crm.upstream.shed", &[UPSTREAM, REASON], "Calls refused before a replica was chosen.");

/// Moves with how long answers take; of all clients of the upstream in this process.
pub const UPSTREAM_LIMIT: Metric =
    gauge("crm.upstream.limit", "", &[UPSTREAM], "Calls that the adaptive limit lets be in flight now.");
/// Up to the headers of their answers.
pub const UPSTREAM_LIMITED: Metric =
    gauge("crm.upstream.limited_in_flight", "", &[UPSTREAM], "Calls in flight that the adaptive limit counts.");
/// A large message has a turn of its own.
pub const GATEWAY_LARGE_MESSAGES: Metric =
    counter("crm.gateway.large_messages", &[], "Messages that became JSON, or came of it, beside the workers.");
/// For their tenant's turn, or for a place.
pub const GATEWAY_LARGE_MESSAGES_WAITING: Metric =
    gauge("crm.gateway.large_messages_waiting", "", &[], "Large messages that wait for their turn to become JSON.");

/// Outcome: `hit`, `miss`, `negative`.
pub const CACHE_LOOKUPS: Metric =
    counter("crm.cache.lookups", &[CACHE, TIER, OUTCOME], "Keys looked up in a tier, and what was found.");
/// Outcome: `found`, `absent`, `error`, `shared`.
pub const CACHE_LOADS: Metric =
    counter("crm.cache.loads", &[CACHE, OUTCOME], "Keys read from the store because no tier had them.");
/// The store's part of a miss.
pub const CACHE_LOAD_DURATION: Metric =
    histogram("crm.cache.load.duration", &[CACHE], SHORT_SECONDS, "How long the store took to answer a miss.");
/// Reason: `local`, `remote`, `reconnect`, `evicted`, `expired`.
pub const CACHE_REMOVALS: Metric =
    counter("crm.cache.removals", &[CACHE, REASON], "Entries that left the first tier, and why.");
/// A fill that raced a write, most often.
pub const CACHE_REFUSED_FILLS: Metric =
    counter("crm.cache.refused_fills", &[CACHE, TIER], "Fills refused because a newer version is known.");
/// First tier.
pub const CACHE_BYTES: Metric = gauge("crm.cache.size", "By", &[CACHE], "Weight of the first tier's entries.");
/// First tier.
pub const CACHE_ENTRIES: Metric = gauge("crm.cache.entries", "", &[CACHE], "Entries of the first tier.");
/// Redis, one round trip.
pub const REDIS_DURATION: Metric =
    histogram("crm.redis.operation.duration", &[OPERATION], SHORT_SECONDS, "How long Redis took, time-outs included.");
/// Reason: `timeout`, `connection`, `circuit_open`, `decode`, `other`.
pub const REDIS_ERRORS: Metric =
    counter("crm.redis.errors", &[OPERATION, REASON], "Redis operations that failed or were not tried.");
/// 1 while closed.
pub const REDIS_UP: Metric = gauge("crm.redis.up", "", &[], "1 while Redis is used, 0 while the circuit is open.");

/// Named by the database conventions; the operation is the question's name.
pub const DB_OPERATION_DURATION: Metric =
    histogram("db.client.operation.duration", &[OPERATION], SHORT_SECONDS, "How long one SQL statement took.");
/// Code: SQLSTATE, or `pool`, `io`, `decode`.
pub const DB_ERRORS: Metric = counter("crm.database.errors", &[OPERATION, CODE], "SQL statements that failed.");
/// State: `idle` or `used`.
pub const DB_CONNECTIONS: Metric = gauge("db.client.connections", "", &[STATE], "Connections of the pool, by state.");
/// The pool's bound.
pub const DB_CONNECTIONS_MAX: Metric =
    gauge("db.client.connection.max", "", &[], "Connections that the pool may open.");
/// Time to get a connection.
pub const DB_WAIT_DURATION: Metric =
    histogram("db.client.connection.wait_time", &[], SHORT_SECONDS, "How long a call waited for a connection.");
/// Outcome: `commit`, `rollback`.
pub const DB_TRANSACTIONS: Metric =
    counter("crm.database.transactions", &[OUTCOME], "Transactions that ended, and how.");

/// Steps of this process are under way, or about to be.
pub const OPERATIONS_RUNNING: Metric =
    gauge("crm.operations.running", "", &[], "Operations that this process works on.");
/// Of all replicas: each tells the same.
pub const OPERATIONS_WAITING: Metric = gauge(
    "crm.operations.waiting",
    "",
    &[],
    "Operations that any replica of the service could begin or go on with now.",
);
/// Outcome: `succeeded`, `failed`, `cancelled`.
pub const OPERATIONS_ENDED: Metric =
    counter("crm.operations.ended", &[KIND, OUTCOME], "Operations that ended, and how.");
/// With all that it waited.
pub const OPERATION_DURATION: Metric =
    histogram("crm.operation.duration", &[KIND], LONG_SECONDS, "How long operations took, from the call to the end.");
/// Resource: one of the service's, `several` or `all` of them; `tenants` for followers, `operations` for who waits for one.
pub const WATCHES_OPEN: Metric = gauge("crm.watches.open", "", &[RESOURCE], "Watches of changes that are open.");
/// Heart-beats among them.
pub const WATCH_MESSAGES: Metric = counter("crm.watch.messages", &[RESOURCE], "Messages that watches were sent.");
/// Reason: `left`, or the reason of the status that it ended with.
pub const WATCHES_ENDED: Metric =
    counter("crm.watches.ended", &[RESOURCE, REASON], "Watches of changes that ended, and why.");
/// 0 while nothing is known that has not been followed.
pub const FOLLOWER_LAG: Metric = gauge(
    "crm.follower.lag",
    "s",
    &[FOLLOWER, SOURCE],
    "Age of the oldest change that has not been followed, of any tenant; 0 if there is none.",
);
/// Outcome: `applied`, `taken`, `failed`, `unanswered`, `expired`.
pub const FOLLOWER_BATCHES: Metric = counter(
    "crm.follower.batches",
    &[FOLLOWER, SOURCE, OUTCOME],
    "Batches of another service's changes, and what became of them.",
);
/// Once each, whatever died.
pub const FOLLOWER_CHANGES: Metric =
    counter("crm.follower.changes", &[FOLLOWER, SOURCE], "Changes of another service that have had their effects.");

/// Work that nobody waits for, such as `sweep`.
pub const TASK_PANICS: Metric = counter(
    "crm.task.panics",
    &[TASK],
    "Panics of tasks that no caller waits for; those that have to last are begun again.",
);
/// A handler's panic became INTERNAL.
pub const SERVER_PANICS: Metric = counter("crm.server.panics", &[], "Panics of handlers, answered as INTERNAL.");
/// Reason: one of `crm_server::REASONS`.
pub const SERVER_REFUSALS: Metric =
    counter("crm.server.refusals", &[REASON], "Calls that a layer answered before their handler ran, and why.");
/// Outcome: `remembered`, `verified`, `refused`.
pub const SERVER_TOKENS: Metric =
    counter("crm.server.tokens", &[OUTCOME], "Tokens looked at: known already, verified now, or refused.");
/// Accepted and not closed.
pub const SERVER_CONNECTIONS: Metric = gauge("crm.server.connections", "", &[], "Open connections.");

/// Reason: `queue_full`, `export_failed`.
pub const SPANS_DROPPED: Metric =
    counter("crm.telemetry.spans_dropped", &[REASON], "Finished spans that never reached the collector.");
/// Accepted by the collector.
pub const SPANS_EXPORTED: Metric = counter("crm.telemetry.spans_exported", &[], "Spans that the collector accepted.");
/// Waiting for export.
pub const SPANS_QUEUED: Metric = gauge("crm.telemetry.spans_queued", "", &[], "Finished spans that wait for export.");
/// Under the name that Prometheus' own clients use.
pub const PROCESS_RESIDENT_MEMORY: Metric =
    gauge("process.resident_memory", "By", &[], "Resident set size of the process.");
/// Under the name that Prometheus' own clients use.
pub const PROCESS_CPU: Metric =
    Metric { unit: "s", ..counter("process.cpu", &[], "User and system time of the process.") };

/// All metrics, for the test that holds the documentation.
pub const METRICS: &[Metric] = &[
    RPC_SERVER_CALLS,
    RPC_SERVER_ERRORS,
    RPC_SERVER_DURATION,
    RPC_SERVER_IN_FLIGHT,
    UPSTREAM_CALLS,
    UPSTREAM_ATTEMPTS,
    UPSTREAM_ATTEMPT_DURATION,
    UPSTREAM_IN_FLIGHT,
    UPSTREAM_LATENCY,
    UPSTREAM_REPLICAS,
    UPSTREAM_EJECTIONS,
    UPSTREAM_RETRIES,
    UPSTREAM_RETRY_BUDGET,
    UPSTREAM_PANIC,
    UPSTREAM_SHED,
    UPSTREAM_LIMIT,
    UPSTREAM_LIMITED,
    GATEWAY_LARGE_MESSAGES,
    GATEWAY_LARGE_MESSAGES_WAITING,
    CACHE_LOOKUPS,
    CACHE_LOADS,
    CACHE_LOAD_DURATION,
    CACHE_REMOVALS,
    CACHE_REFUSED_FILLS,
    CACHE_BYTES,
    CACHE_ENTRIES,
    REDIS_DURATION,
    REDIS_ERRORS,
    REDIS_UP,
    DB_OPERATION_DURATION,
    DB_ERRORS,
    DB_CONNECTIONS,
    DB_CONNECTIONS_MAX,
    DB_WAIT_DURATION,
    DB_TRANSACTIONS,
    OPERATIONS_RUNNING,
    OPERATIONS_WAITING,
    OPERATIONS_ENDED,
    OPERATION_DURATION,
    WATCHES_OPEN,
    WATCH_MESSAGES,
    WATCHES_ENDED,
    FOLLOWER_LAG,
    FOLLOWER_BATCHES,
    FOLLOWER_CHANGES,
    TASK_PANICS,
    SERVER_PANICS,
    SERVER_REFUSALS,
    SERVER_TOKENS,
    SERVER_CONNECTIONS,
    SPANS_DROPPED,
    SPANS_EXPORTED,
    SPANS_QUEUED,
    PROCESS_RESIDENT_MEMORY,
    PROCESS_CPU,
];

impl Metric {
    /// The name on `/metrics`: dots become underscores, then the unit, then `_total` for counters.
    pub fn prometheus_name(&self) -> String {
        let unit = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", self.name.replace('.', "_"))
    }
}
