//! Imports: files that people have sent, until they are read into records, and what was wrong with their rows.

use uuid::Uuid;

use super::{Looked, Named};
use crate::{Error, Store, Write};

/// Bytes of a file that are looked at at once, and those of them that the next ones begin with: more than an address takes,
/// in UTF-16 as well. Parts of a file are of whatever length it was sent in, and are not asked.
const PIECE: i64 = 4 << 20;
const OVERLAP: i64 = 4 << 10;

impl Store {
    /// Forgets the next import after `after` as a whole, if its file is still there and names the person: who works on it finds
    /// none any more. Of one that was read, what is said of the person's row.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_import(&self, write: &mut Write, named: &Named, after: Uuid) -> Result<Looked<Uuid>, Error> {
        let tenant = write.call.tenant;
        let next = sqlx::query(self.erasure.next_import.clone()).bind(tenant).bind(after);
        let next: Option<(Uuid, String, i64)> = write.fetch_optional("find_next_import", next).await?;
        let Some((import, file_name, size)) = next else { return Ok(Looked { next: None, erased: 0 }) };
        let is_named = named.is_in_text(&file_name) || self.is_in_file(write, named, import, size).await?;
        let query = sqlx::query(self.erasure.import_errors.clone()).bind(tenant).bind(import).bind(named.texts());
        let errors = write.execute("erase_import_errors", query).await?;
        if is_named {
            let query = sqlx::query(self.erasure.forget_import.clone()).bind(tenant).bind(import);
            write.execute("erase_import", query).await?;
        }
        Ok(Looked { next: Some(import), erased: i64::from(is_named || errors > 0) })
    }

    async fn is_in_file(&self, write: &mut Write, named: &Named, import: Uuid, size: i64) -> Result<bool, Error> {
        let mut at = 0;
        loop {
            let query = sqlx::query(self.erasure.read_import.clone()).bind(write.call.tenant).bind(import);
            let pieces: Vec<(Vec<u8>,)> = write.fetch_all("read_import", query.bind(at).bind(PIECE)).await?;
            // In UTF-16 every other byte of an address is none.
            let bytes: Vec<u8> = pieces.into_iter().flat_map(|(piece,)| piece).filter(|byte| *byte != 0).collect();
            let is_last = bytes.is_empty() || at + PIECE >= size;
            if named.is_in_piece(&String::from_utf8_lossy(&bytes), at == 0, is_last) {
                return Ok(true);
            }
            if is_last {
                return Ok(false);
            }
            at += PIECE - OVERLAP;
        }
    }
}
