//! How one attempt ended, as far as the endpoint is to blame.

use tonic::Code;

/// The verdict on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The endpoint did its part; its answer may still be an application's error.
    Served,
    /// The endpoint, or the way to it, is at fault.
    Failed,
    /// The connection broke under it. A failure, but none to eject for: the connection's end takes the endpoint out already,
    /// and a restarted process should not begin under a sentence.
    Lost,
    /// The time allowed passed. It may be hung, or the upstream overloaded.
    TimedOut,
    /// Somebody behind the endpoint failed, and it says so: no fault of its own, nor a sign that it is well.
    PassedOn,
    /// The caller went away, or left it no fair chance: says nothing.
    Cancelled,
}

impl Outcome {
    /// Judges a status that the endpoint gave.
    ///
    /// `RESOURCE_EXHAUSTED` is an honest refusal of an endpoint that works: ejecting for it would push its load onto the
    /// others. `UNIMPLEMENTED` and the rest are about the request.
    pub(crate) const fn of(code: Code) -> Self {
        match code {
            Code::Unavailable | Code::Internal | Code::Unknown | Code::DataLoss => Self::Failed,
            Code::DeadlineExceeded => Self::TimedOut,
            _ => Self::Served,
        }
    }

    /// Judges the end of a stream that had no status of its own. A call that its endpoint resets was not served, whatever
    /// the reset's reason; UNAVAILABLE means here that the connection went with it.
    pub(crate) const fn of_break(code: Code) -> Self {
        match code {
            Code::Unavailable => Self::Lost,
            _ => Self::Failed,
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Served | Self::PassedOn => "ok",
            Self::Failed | Self::Lost | Self::TimedOut => "error",
            Self::Cancelled => "cancelled",
        }
    }
}
