//! Files of a zip archive, answered without unpacking them.
//!
//! A deflated entry of a zip archive and the body of a gzip file (RFC 1952) are the same bytes, and the archive's
//! directory holds the checksum and the size that gzip wants behind them.
//! So an asset goes out as `content-encoding: gzip` with eighteen bytes put around it: no unpacked copy lies in memory or in
//! the binary.

use bytes::{BufMut, Bytes, BytesMut};
use crm_server::document;

const END_OF_DIRECTORY: u32 = 0x0605_4b50;
const DIRECTORY_ENTRY: u32 = 0x0201_4b50;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Magic, deflate, no flags, no time, no hint, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// One file as it can be sent.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    /// What goes into the body.
    pub(crate) body: Bytes,
    /// Whether the body is gzip.
    pub(crate) gzip: bool,
    /// Names its content.
    pub(crate) tag: String,
}

/// Finds the file whose path ends in `suffix`, or `None` if there is none or the archive is damaged.
pub(crate) fn find_asset(archive: &'static [u8], suffix: &str) -> Option<Asset> {
    let (mut at, entries) = directory(archive)?;
    for _ in 0..entries {
        let entry = Entry::read(archive, at)?;
        if entry.name.ends_with(suffix.as_bytes()) {
            return entry.asset(archive);
        }
        at = entry.next;
    }
    None
}

/// Where the directory begins and how many entries it has.
fn directory(archive: &[u8]) -> Option<(usize, u16)> {
    let last = archive.len().checked_sub(22)?;
    let end = (0..=last).rev().find(|at| u32_at(archive, *at) == Some(END_OF_DIRECTORY))?;
    Some((size_at(archive, end + 16)?, u16_at(archive, end + 10)?))
}

struct Entry<'a> {
    name: &'a [u8],
    method: u16,
    crc: u32,
    packed: usize,
    size: u32,
    header: usize,
    next: usize,
}

impl<'a> Entry<'a> {
    fn read(archive: &'a [u8], at: usize) -> Option<Self> {
        if u32_at(archive, at)? != DIRECTORY_ENTRY {
            return None;
        }
        let name_length = usize::from(u16_at(archive, at + 28)?);
        let tail = usize::from(u16_at(archive, at + 30)?) + usize::from(u16_at(archive, at + 32)?);
        Some(Self {
            name: archive.get(at + 46..at + 46 + name_length)?,
            method: u16_at(archive, at + 10)?,
            crc: u32_at(archive, at + 16)?,
            packed: size_at(archive, at + 20)?,
            size: u32_at(archive, at + 24)?,
            header: size_at(archive, at + 42)?,
            next: at + 46 + name_length + tail,
        })
    }

    fn asset(&self, archive: &'static [u8]) -> Option<Asset> {
        let skip = usize::from(u16_at(archive, self.header + 26)?) + usize::from(u16_at(archive, self.header + 28)?);
        let start = self.header + 30 + skip;
        let data = archive.get(start..start.checked_add(self.packed)?)?;
        let tag = document::tag(&format!("{:08x}-{:x}", self.crc, self.size));
        match self.method {
            STORED => Some(Asset { body: Bytes::from_static(data), gzip: false, tag }),
            DEFLATED => Some(Asset { body: self.gzip(data), gzip: true, tag }),
            _ => None,
        }
    }

    fn gzip(&self, deflated: &[u8]) -> Bytes {
        let mut file = BytesMut::with_capacity(GZIP_HEADER.len() + deflated.len() + 8);
        file.put_slice(&GZIP_HEADER);
        file.put_slice(deflated);
        file.put_u32_le(self.crc);
        file.put_u32_le(self.size);
        file.freeze()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_of_the_viewer_are_found_and_become_gzip() {
        let archive = utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
        let script = find_asset(archive, "/dist/swagger-ui-bundle.js").expect("script");
        assert!(script.gzip && script.body.starts_with(&GZIP_HEADER) && script.body.len() > 100_000);
        let icon = find_asset(archive, "/dist/favicon-32x32.png").expect("icon");
        assert!(!icon.gzip && icon.body.starts_with(b"\x89PNG"));
        assert!(find_asset(archive, "/dist/nothing.js").is_none());
    }

    #[test]
    fn damaged_archives_hold_nothing() {
        let archive: &'static [u8] = utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
        for damaged in [&archive[..0], &archive[..21], &archive[..4096], &archive[archive.len() - 64..]] {
            assert!(find_asset(damaged, "/dist/swagger-ui.css").is_none());
        }
    }
}
