//! Why a span cannot be kept, for its sender and for the counters.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Undecodable,
    TraceId,
    SpanId,
    TraceFull,
    ExportFull,
}

impl Refusal {
    pub(crate) const ALL: [Self; 5] =
        [Self::Undecodable, Self::TraceId, Self::SpanId, Self::TraceFull, Self::ExportFull];

    /// For people, after "spans refused:".
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Undecodable => "the span cannot be decoded",
            Self::TraceId => "trace_id is not 16 bytes, or zero",
            Self::SpanId => "span_id is not 8 bytes, or zero",
            Self::TraceFull => "its trace has its full share of the memory",
            Self::ExportFull => "one export may fill half of the memory",
        }
    }

    /// For metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::TraceFull => "trace_full",
            Self::ExportFull => "export_full",
        }
    }
}
