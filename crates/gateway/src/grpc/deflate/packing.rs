//! One message on its way into gzip, and what that takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use crm_server::framing::PREFIX_BYTES;
use crm_shares::Share;
use flate2::{Compress, CompressError, Compression, Crc, FlushCompress, Status as Progress};

/// Messages that are being packed at a time; each takes up 300 KB for its tables.
pub(super) const PACKERS: usize = 32;
/// Deflate, no name, no time, the fastest way (RFC 1952).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// What is made room for at a time.
const OUT_BYTES: usize = 4 * 1024;

/// What packing works with: costly to make, and used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables(Arc<Mutex<Stock>>);

#[derive(Debug, Default)]
struct Stock {
    idle: Vec<Compress>,
    lent: usize,
}

impl Tables {
    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing, if as many are lent as may be.
    pub(super) fn lend(&self) -> Option<Lent> {
        let mut stock = self.stock();
        if stock.lent == PACKERS {
            return None;
        }
        stock.lent += 1;
        let compress = stock.idle.pop().unwrap_or_else(|| Compress::new(Compression::fast(), false));
        Some(Lent { compress: Some(compress), from: self.clone() })
    }

    /// How many are lent, and how many lie ready.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        let stock = self.stock();
        (stock.lent, stock.idle.len())
    }
}

/// Given back when dropped, whatever was half done.
pub(super) struct Lent {
    /// There until then.
    compress: Option<Compress>,
    from: Tables,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(compress) = &mut self.compress {
            compress.reset();
        }
        let mut stock = self.from.stock();
        stock.lent -= 1;
        stock.idle.extend(self.compress.take());
    }
}

/// One message that is being packed.
pub(super) struct Packing {
    tables: Lent,
    checksum: Crc,
    /// With a prefix in front.
    packed: Vec<u8>,
    left: usize,
    room: Share,
}

impl Packing {
    pub(super) fn new(tables: Lent, length: usize, room: Share) -> Self {
        let mut packed = vec![0; PREFIX_BYTES];
        packed.extend_from_slice(&GZIP_HEADER);
        Self { tables, checksum: Crc::new(), packed, left: length, room }
    }

    /// The next bytes of the message, no more than are left of it.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), CompressError> {
        self.left -= bytes.len();
        self.checksum.update(bytes);
        while !bytes.is_empty() {
            let taken = self.advance(bytes, FlushCompress::None)?.1;
            bytes.advance(taken);
        }
        Ok(())
    }

    /// What is still to come.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    fn advance(&mut self, bytes: &[u8], flush: FlushCompress) -> Result<(Progress, usize), CompressError> {
        self.packed.reserve(OUT_BYTES);
        let Some(compress) = &mut self.tables.compress else { return Ok((Progress::StreamEnd, bytes.len())) };
        let before = compress.total_in();
        let progress = compress.compress_vec(bytes, &mut self.packed, flush)?;
        Ok((progress, usize::try_from(compress.total_in() - before).unwrap_or(usize::MAX)))
    }

    /// The message, and the room that it takes up until it is sent.
    pub(super) fn finish(mut self) -> Result<(Bytes, Share), CompressError> {
        while self.advance(&[], FlushCompress::Finish)?.0 != Progress::StreamEnd {}
        self.packed.extend_from_slice(&self.checksum.sum().to_le_bytes());
        self.packed.extend_from_slice(&self.checksum.amount().to_le_bytes());
        let length = u32::try_from(self.packed.len() - PREFIX_BYTES).unwrap_or(u32::MAX);
        self.packed[0] = 1;
        self.packed[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
        self.room.shrink_to(self.packed.len());
        Ok((self.packed.into(), self.room))
    }
}
