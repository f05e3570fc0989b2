//! Bytes of a file as text, and how far a text reaches in the bytes.
//!
//! Spreadsheets write UTF-8 with a mark at its beginning ("CSV UTF-8"), UTF-16 ("Unicode text"), or the code page of the
//! machine ("CSV"), which is a byte a character. All three can be told how many bytes a piece of text was, so a step begins
//! where the one before ended, in the middle of a file.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What could not be read in the encoding.
pub(super) const UNREADABLE: char = '\u{fffd}';

/// How a file's bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset(&'static Encoding);

/// A piece of a file, from a place on.
#[derive(Debug)]
pub(super) struct Piece {
    /// In UTF-8, as far as the file is.
    pub(super) text: Vec<u8>,
    charset: Charset,
}

impl Charset {
    /// By what it is called: UTF-8, UTF-16, or a byte a character.
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = Encoding::for_label(name.as_bytes())?;
        let is_known = found.is_single_byte() || [UTF_8, UTF_16LE, UTF_16BE].contains(&found);
        is_known.then_some(Self(found))
    }

    /// What it is called.
    pub(super) fn name(self) -> String {
        self.0.name().to_lowercase()
    }

    /// Of a file that begins so, and whose bytes are UTF-8 throughout or not; and where its text begins.
    pub(super) fn recognise(head: &[u8], is_utf8: bool) -> Self {
        if let Some((marked, _)) = Encoding::for_bom(head) {
            return Self(marked);
        }
        // Of Latin text in UTF-16, every other byte is zero.
        let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
        match (even * 5 > pairs * 2, odd * 5 > pairs * 2) {
            (false, true) => Self(UTF_16LE),
            (true, false) => Self(UTF_16BE),
            _ if is_utf8 => Self(UTF_8),
            _ => Self(WINDOWS_1252),
        }
    }

    /// Bytes before the text: the mark of this encoding, if there is one.
    pub(super) fn mark(self, head: &[u8]) -> usize {
        Encoding::for_bom(head).filter(|(marked, _)| *marked == self.0).map_or(0, |(_, length)| length)
    }

    pub(super) fn read(self, bytes: Vec<u8>) -> Piece {
        let text = if self.0 == UTF_8 {
            // Judged cell by cell: what is wrong is told with its row.
            bytes
        } else {
            let whole = if self.0.is_single_byte() { bytes.len() } else { bytes.len() / 2 * 2 };
            self.0.decode_without_bom_handling(&bytes[..whole]).0.into_owned().into_bytes()
        };
        Piece { text, charset: self }
    }
}

impl Piece {
    /// Bytes of the file that the first `length` bytes of its text are.
    pub(super) fn bytes(&self, length: usize) -> usize {
        let text = &self.text[..length];
        let characters = || text.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count();
        if self.charset.0 == UTF_8 {
            length
        } else if self.charset.0.is_single_byte() {
            characters()
        } else {
            // Those of four bytes are two units.
            2 * (characters() + text.iter().filter(|byte| **byte >= 0b1111_0000).count())
        }
    }
}

/// Whether a part of a file may be UTF-8: what its ends cut off is another part's.
pub(super) fn may_be_utf8(part: &[u8]) -> bool {
    let cut = part.iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
    match std::str::from_utf8(&part[cut..]) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name;Ort\r\nMüller & Söhne;Köln 😀\r\n";

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn files_of_spreadsheets_are_recognised_and_read() {
        let marked = |mark: &[u8], text: Vec<u8>| [mark.to_vec(), text].concat();
        let latin = TEXT.replace(" 😀", "");
        let ansi: Vec<u8> = latin.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
        for (bytes, name, text) in [
            (TEXT.as_bytes().to_vec(), "utf-8", TEXT),
            (marked(b"\xef\xbb\xbf", TEXT.into()), "utf-8", TEXT),
            (marked(b"\xff\xfe", utf16(TEXT, u16::to_le_bytes)), "utf-16le", TEXT),
            (utf16(TEXT, u16::to_le_bytes), "utf-16le", TEXT),
            (marked(b"\xfe\xff", utf16(TEXT, u16::to_be_bytes)), "utf-16be", TEXT),
            (utf16(TEXT, u16::to_be_bytes), "utf-16be", TEXT),
            (ansi, "windows-1252", latin.as_str()),
            (b"Name\0;b".to_vec(), "utf-8", "Name\0;b"),
            (Vec::new(), "utf-8", ""),
        ] {
            let charset = Charset::recognise(&bytes, may_be_utf8(&bytes));
            assert_eq!(charset.name(), name);
            let mark = charset.mark(&bytes);
            let piece = charset.read(bytes[mark..].to_vec());
            assert_eq!(String::from_utf8_lossy(&piece.text), text, "{name}");
            // Wherever it is cut, the rest is read from there.
            for (at, _) in text.char_indices() {
                let rest = charset.read(bytes[mark + piece.bytes(at)..].to_vec());
                assert_eq!(String::from_utf8_lossy(&rest.text), text[at..], "{name} at {at}");
            }
        }
    }

    #[test]
    fn a_part_may_end_within_a_character() {
        for cut in 0..=TEXT.len() {
            let (one, other) = TEXT.as_bytes().split_at(cut);
            assert!(may_be_utf8(one) && may_be_utf8(other), "{cut}");
        }
        assert!(!may_be_utf8(b"M\xfcller"));
        assert!(may_be_utf8(b""));
    }

    #[test]
    fn encodings_of_several_bytes_without_a_place_are_not_offered() {
        assert!(
            ["utf-8", "UTF-16LE", "windows-1250", "iso-8859-2", "koi8-r"]
                .iter()
                .all(|name| Charset::named(name).is_some())
        );
        assert!(
            ["shift_jis", "gb18030", "iso-2022-jp", "replacement", "", "nonsense"]
                .iter()
                .all(|name| Charset::named(name).is_none())
        );
        let polish = Charset::named("windows-1250").unwrap().read(b"\xa3\xf3d\x9f".to_vec());
        assert_eq!(polish.text, "Łódź".as_bytes());
        let lone = Charset(UTF_16LE).read(vec![0x3d, 0xd8, b'a', 0, 7]);
        assert_eq!((String::from_utf8_lossy(&lone.text).as_ref(), lone.bytes(lone.text.len())), ("\u{fffd}a", 4));
    }
}
