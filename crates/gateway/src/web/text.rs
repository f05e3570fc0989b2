//! A body in base64, as it comes: pieces of any length, each padded at its end.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body::Frame;
use tonic::{Status, body::Body};

use crate::reasons;

/// The bytes that a text stands for.
pub(super) struct Decoded {
    text: Body,
    /// Characters that are not four yet.
    rest: Vec<u8>,
}

impl Decoded {
    pub(super) fn new(text: Body) -> Self {
        Self { text, rest: Vec::new() }
    }

    /// All whole quartets.
    fn decode(&mut self, came: &[u8]) -> Result<Bytes, Status> {
        let mut text = std::mem::take(&mut self.rest);
        text.extend_from_slice(came);
        self.rest = text.split_off(text.len() / 4 * 4);
        let (mut out, mut left) = (Vec::with_capacity(text.len() / 4 * 3), text.as_slice());
        while !left.is_empty() {
            // Behind padding another piece begins.
            let end = left.iter().position(|character| *character == b'=').map_or(left.len(), |at| at / 4 * 4 + 4);
            let (piece, behind) = left.split_at(end);
            BASE64_STANDARD.decode_vec(piece, &mut out).map_err(|_| reasons::malformed_text())?;
            left = behind;
        }
        Ok(out.into())
    }

    fn end(&mut self) -> Option<Result<Frame<Bytes>, Status>> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| Err(reasons::malformed_text()))
    }
}

impl http_body::Body for Decoded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            match ready!(Pin::new(&mut self.text).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Requests have no trailers.
                    let Ok(text) = frame.into_data() else { continue };
                    let bytes = self.decode(&text)?;
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(self.end()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decoded in pieces of every length.
    fn check(text: &str, expected: Option<&[u8]>) {
        for length in 1..=text.len() {
            let (mut decoded, mut bytes) = (Decoded::new(Body::empty()), Vec::new());
            let pieces = text.as_bytes().chunks(length);
            let taken: Result<Vec<Bytes>, Status> = pieces.map(|piece| decoded.decode(piece)).collect();
            let is_whole = taken.map(|taken| taken.iter().for_each(|piece| bytes.extend_from_slice(piece))).is_ok();
            let is_whole = is_whole && decoded.end().is_none();
            assert_eq!(is_whole.then_some(bytes.as_slice()), expected, "{text} by {length}");
        }
    }

    #[test]
    fn pieces_are_padded_wherever_they_end() {
        check("AAEC", Some(&[0, 1, 2]));
        check("AAE=AA==AAEC", Some(&[0, 1, 0, 0, 1, 2]));
        check("AA==AA==", Some(&[0, 0]));
        for wrong in ["AAE", "AAECA", "A===", "AA=A", "====", "AAE!", "AA E", "AAE=\n", "AA-_"] {
            check(wrong, None);
        }
    }
}
