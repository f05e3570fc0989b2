use crm_shares::TENANT_SHARE_TAKEN;

/// Reason of an overloaded process.
pub(crate) const OVERLOADED: &str = "OVERLOADED";
/// Reason of a call that took longer than its deadline.
pub(crate) const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";
/// Reason of a `grpc-timeout` that is none.
pub(crate) const TIMEOUT_MALFORMED: &str = "TIMEOUT_MALFORMED";
/// Reason of a write by somebody who may only read.
pub(crate) const ROLE_NOT_ALLOWED: &str = "ROLE_NOT_ALLOWED";
pub(crate) const ROLE_READ_ONLY: &str = "ROLE_READ_ONLY";
/// Reason of a header that says two things.
pub(crate) const CONFLICTING_VALUE: &str = "CONFLICTING_VALUE";
/// Reason of a request that does not say for whom it is.
pub(crate) const HOST_INVALID: &str = "HOST_INVALID";
/// Reason of a body that HTTP cannot read.
pub(crate) const BODY_BROKEN: &str = "BODY_BROKEN";
/// Reason of bytes that are no message of the method.
pub(crate) const MESSAGE_MALFORMED: &str = "MESSAGE_MALFORMED";
/// Reason of a message that is too large to be read.
pub(crate) const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";
/// Reason of more or fewer messages than the method takes.
pub(crate) const MESSAGE_COUNT: &str = "MESSAGE_COUNT";
/// Reason of headers that are longer than they may be.
pub(crate) const HEADERS_TOO_LARGE: &str = "HEADERS_TOO_LARGE";
/// Reason of a message that is not packed as it says.
pub(crate) const COMPRESSION_INVALID: &str = "COMPRESSION_INVALID";
/// Reason of a message in an encoding that is not understood.
pub(crate) const COMPRESSION_UNSUPPORTED: &str = "COMPRESSION_UNSUPPORTED";
/// Reason of a method that is not there.
pub(crate) const METHOD_UNKNOWN: &str = "METHOD_UNKNOWN";
/// Reason of a panic.
pub(crate) const HANDLER_PANICKED: &str = "HANDLER_PANICKED";
/// Reason of `caller()` without a token layer in front.
pub(crate) const CALLER_UNKNOWN: &str = "CALLER_UNKNOWN";

/// Reason of a call that failed because somebody asked for it.
pub(crate) const FAULT_INJECTED: &str = "FAULT_INJECTED";
/// Reason of a fault that cannot be set.
pub(crate) const FAULT_INVALID: &str = "FAULT_INVALID";

/// Reason of a number that is too small or too large, of a field.
pub(crate) const OUT_OF_RANGE: &str = "OUT_OF_RANGE";
/// Reason of two fields that exclude each other, of a field.
pub(crate) const CONTRADICTION: &str = "CONTRADICTION";
/// Reason of what must be given and is not, of a field.
pub(crate) const FIELD_REQUIRED: &str = "FIELD_REQUIRED";

/// Reasons that a single field's violation gives, and when.
pub const FIELD_REASONS: &[(&str, &str)] = &[
    (OUT_OF_RANGE, "a number lies outside its range"),
    (CONTRADICTION, "two fields exclude each other"),
    (FIELD_REQUIRED, "a value that must be there is not"),
];

/// Every reason that this crate gives, and when: the rows of `docs/errors.md`.
pub const REASONS: &[(&str, &str)] = &[
    ("TOKEN_MISSING", "UNAUTHENTICATED: no `authorization` metadata, or not of the form `Bearer …`"),
    (
        "TOKEN_MALFORMED",
        "UNAUTHENTICATED: the token is no JSON web token, lacks a required claim, or has one of the wrong type",
    ),
    ("TOKEN_ALGORITHM", "UNAUTHENTICATED: the token is signed by another algorithm than EdDSA, or not at all"),
    ("TOKEN_SIGNATURE", "UNAUTHENTICATED: no key of this process made the token's signature"),
    ("TOKEN_ISSUER", "UNAUTHENTICATED: the token's issuer is not `bellwether`"),
    ("TOKEN_AUDIENCE", "UNAUTHENTICATED: the token is for another audience than `crm`"),
    ("TOKEN_EXPIRED", "UNAUTHENTICATED: the token has expired"),
    ("TOKEN_NOT_YET_VALID", "UNAUTHENTICATED: the token's `nbf` is still to come"),
    ("TOKEN_CRITICAL", "UNAUTHENTICATED: the token's header has `crit`, and no extension is understood here"),
    ("TOKEN_TENANT", "UNAUTHENTICATED: the token names no tenant"),
    (
        "TOKEN_LIFETIME",
        "UNAUTHENTICATED: a service's token does not say when it was made, or lasts longer than 15 minutes",
    ),
    (
        "TOKEN_ROLE",
        "UNAUTHENTICATED: the token says that a service calls, and its key is of users, or the other way round",
    ),
    (CALLER_UNKNOWN, "UNAUTHENTICATED: a method that needs a caller was reached without one"),
    (ROLE_NOT_ALLOWED, "PERMISSION_DENIED: the caller's role may not call this method (`proto/rights.md`)"),
    (ROLE_READ_ONLY, "PERMISSION_DENIED: the role `viewer` may only call methods without side effects"),
    (
        OVERLOADED,
        "RESOURCE_EXHAUSTED: the process has as many calls in flight as it accepts; retry after the delay given",
    ),
    (
        TENANT_SHARE_TAKEN,
        "RESOURCE_EXHAUSTED: the caller's tenant holds as much of something scarce as one may while others need the rest; retry after the delay given",
    ),
    (DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED: the call took longer than its `grpc-timeout`, or than the server allows"),
    (TIMEOUT_MALFORMED, "INVALID_ARGUMENT: `grpc-timeout` is not 1 to 8 digits and a unit (H, M, S, m, u, n)"),
    (CONFLICTING_VALUE, "INVALID_ARGUMENT: a header of one value is given more than once, with different values"),
    (HOST_INVALID, "INVALID_ARGUMENT: a request does not say for whom it is, or says so twice, or names no host"),
    (BODY_BROKEN, "INVALID_ARGUMENT: the body is not what its length or its chunks say, or ends too early"),
    (MESSAGE_MALFORMED, "INVALID_ARGUMENT: the bytes that came are no message of this method"),
    (MESSAGE_TOO_LARGE, "RESOURCE_EXHAUSTED: the message, unpacked, is longer than the process reads"),
    (MESSAGE_COUNT, "UNIMPLEMENTED: the method takes one message, and none or more came"),
    (HEADERS_TOO_LARGE, "RESOURCE_EXHAUSTED: the call's headers are longer than the process accepts"),
    (
        COMPRESSION_INVALID,
        "INTERNAL: a message is not packed as it says: the flag is none, `grpc-encoding` is missing, or the bytes are no gzip",
    ),
    (
        COMPRESSION_UNSUPPORTED,
        "UNIMPLEMENTED: the message is compressed; `grpc-accept-encoding` says what is understood",
    ),
    (METHOD_UNKNOWN, "UNIMPLEMENTED: the process has no such method"),
    (HANDLER_PANICKED, "INTERNAL: a defect of the service; the log has its place under the call's trace id"),
    (FAULT_INJECTED, "any code: the process was told to fail calls, to see how others cope"),
    (FAULT_INVALID, "INVALID_ARGUMENT: the fault to be set breaks its rules; BadRequest lists all of them"),
];
