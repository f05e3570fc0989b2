//! gRPC's length-prefixed messages: one flag byte, four bytes of length, the message.
//!
//! Source: gRPC over HTTP/2, "Length-Prefixed-Message".

use bytes::{Buf, BufMut, Bytes, BytesMut};

const PREFIX: usize = 5;

/// Puts the prefix before one uncompressed message; `None` past 4 GiB, which the prefix cannot say.
pub fn encode(message: &[u8]) -> Option<Bytes> {
    let length = u32::try_from(message.len()).ok()?;
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(length);
    frame.put_slice(message);
    Some(frame.freeze())
}

/// Why a stream of frames cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The peer compressed a message, though identity is all that was offered.
    #[error("message is compressed, which was not offered")]
    Compressed,
    /// The flag byte is none that gRPC knows.
    #[error("frame starts with an unknown flag")]
    UnknownFlag,
    /// A message is longer than the reader accepts.
    #[error("message of {length} bytes is longer than {max}")]
    TooLong {
        /// Length that the prefix states, in bytes.
        length: usize,
        /// Longest accepted, in bytes.
        max: usize,
    },
    /// The stream ended inside a frame.
    #[error("stream ended inside a message")]
    Truncated,
}

/// Reads messages out of bytes that arrive in any pieces.
///
/// Holds at most one message and what came with it: take messages out with [`Decoder::next_message`] after each
/// [`Decoder::push`]. After an error the decoder stays in error.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    max_message_bytes: usize,
    failed: Option<FrameError>,
}

impl Decoder {
    /// A decoder that refuses messages longer than `max_message_bytes`, before buffering them.
    pub fn new(max_message_bytes: usize) -> Self {
        Self { buffer: BytesMut::new(), max_message_bytes, failed: None }
    }

    /// Adds what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole message, or `None` until more has arrived.
    pub fn next_message(&mut self) -> Result<Option<Bytes>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let length = match self.next_length() {
            Ok(Some(length)) => length,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.fail(error)),
        };
        if self.buffer.len() - PREFIX < length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// Call at the end of the stream: an error if it ended inside a frame.
    pub fn finish(&self) -> Result<(), FrameError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.buffer.is_empty() => Ok(()),
            None => Err(FrameError::Truncated),
        }
    }

    /// Length of the message whose prefix is at the front, once the prefix is whole.
    fn next_length(&self) -> Result<Option<usize>, FrameError> {
        let Some(&flag) = self.buffer.first() else { return Ok(None) };
        match flag {
            0 => {}
            1 => return Err(FrameError::Compressed),
            _ => return Err(FrameError::UnknownFlag),
        }
        let Some(&[_, a, b, c, d]) = self.buffer.first_chunk::<PREFIX>() else { return Ok(None) };
        let max = self.max_message_bytes;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > max { Err(FrameError::TooLong { length, max }) } else { Ok(Some(length)) }
    }

    fn fail(&mut self, error: FrameError) -> FrameError {
        self.buffer = BytesMut::new();
        self.failed = Some(error);
        error
    }
}
