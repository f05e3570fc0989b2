//! Server-sent events from bytes (WHATWG HTML, "Interpreting an event stream"); ids and retry times are of no use here.

/// A longer event is not from a gateway.
const MAX_BYTES: usize = 64 << 10;

/// A message of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) event: String,
    pub(crate) data: String,
}

/// What has come of the stream so far.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    message: Message,
}

impl Lines {
    /// Takes in more bytes; returns the messages that they complete.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => messages.extend(self.end_line()),
                b'\r' => {}
                _ if self.rest.len() < MAX_BYTES => self.rest.push(*byte),
                _ => {}
            }
        }
        messages
    }

    fn end_line(&mut self) -> Option<Message> {
        let line = std::mem::take(&mut self.rest);
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            return (!message.data.is_empty()).then_some(message);
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.message.event),
            "data" if self.message.data.len() + value.len() < MAX_BYTES => self.message.data.push_str(value),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_may_come_in_pieces_and_comments_say_nothing() {
        let mut lines = Lines::default();
        assert!(lines.take(b": keep-alive\n\nevent: bal").is_empty());
        let messages = lines.take(b"ance\r\ndata: {\"a\":1}\r\n\r\ndata:x\n\n");
        let message = |event: &str, data: &str| Message { event: event.to_owned(), data: data.to_owned() };
        assert_eq!(messages, [message("balance", "{\"a\":1}"), message("", "x")]);
    }

    #[test]
    fn an_endless_line_takes_bounded_memory() {
        let mut lines = Lines::default();
        (0..100).for_each(|_| drop(lines.take(&[b'a'; 4096])));
        assert!(lines.rest.len() <= MAX_BYTES);
    }
}
