//! What is called: reads, or reads and writes.

/// A method, its part of all calls, and what each call of it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) method: &'static str,
    weight: u32,
    request: &'static str,
}

impl Part {
    /// As HTTP/2 and the toys know it.
    pub(super) fn path(&self) -> String {
        format!("/{SERVICE}/{}", self.method)
    }

    /// As a scenario has it.
    pub(super) fn toml(&self) -> String {
        let Self { method, weight, request } = self;
        format!("[[calls]]\nname = '{method}'\nrpc = '{SERVICE}/{method}'\nweight = {weight}\nrequest = {request}\n")
    }
}

const SERVICE: &str = "crm.customers.v1.AccountService";

/// Safe to send twice, as their definition says, and our gateway knows.
pub(super) const READS: [Part; 1] = [Part { method: "GetAccount", weight: 1, request: "{}" }];

/// No two calls say the same, so that each is known again by its message. A create may be sent twice, for its request id
/// tells the service that it is the same one. An update has none: it may be sent once only.
pub(super) const WRITES: [Part; 3] = [
    READS[0],
    Part { method: "CreateAccount", weight: 1, request: "{ requestId = '${uuid}', account = { name = 'Acme' } }" },
    Part { method: "UpdateAccount", weight: 1, request: "{ account = { id = '${uuid}', name = 'Acme' } }" },
];

/// Places in [`WRITES`].
pub(super) const READ: usize = 0;
pub(super) const CREATE: usize = 1;
pub(super) const UPDATE: usize = 2;
