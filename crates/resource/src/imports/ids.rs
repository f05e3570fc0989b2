//! Ids of what an import makes: they follow from the import's and the row's, so that a row that comes twice is one record,
//! and undoing needs no list.

use uuid::Uuid;

/// Bits of an import's own id that its records have as well: with its time, which are its.
const OWN: u128 = (1 << 42) - 1;

/// The id of the record that a row makes, or of what is made along with it. UUIDv7 of the import's time, in the order of the
/// rows, so that they stand side by side in indexes.
pub fn record_id(import: Uuid, row: i64, along: bool) -> Uuid {
    let number = u128::from(row.unsigned_abs() & 0x7fff_ffff) << 1 | u128::from(along);
    let (time, own) = (import.as_u128() >> 80, import.as_u128() & OWN);
    let (high, low) = (number >> 20, number & 0xf_ffff);
    Uuid::from_u128(time << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low << 42 | own)
}

/// The row that made the record of this id, if it is the import's; what was made along is nobody's row.
pub(super) fn row_of(import: Uuid, id: Uuid) -> Option<i64> {
    let bits = id.as_u128();
    let number = (bits >> 64 & 0xfff) << 20 | bits >> 42 & 0xf_ffff;
    let row = i64::try_from(number >> 1).ok()?;
    // Its own id may look like one of its records'.
    (id != import && record_id(import, row, false) == id).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_in_the_order_of_rows_and_tell_their_row() {
        let (import, other) = (Uuid::now_v7(), Uuid::now_v7());
        let mut last = Uuid::nil();
        for row in [1, 2, 3, 1 << 19, (1 << 19) + 1, 1 << 24, 104_857_600] {
            for along in [false, true] {
                let id = record_id(import, row, along);
                assert!(id > last, "{row}");
                last = id;
                assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
                assert_eq!(id.get_timestamp().unwrap(), Uuid::get_timestamp(&import).unwrap());
                assert_eq!(row_of(import, id), (!along).then_some(row));
                assert_eq!(row_of(other, id), None);
            }
        }
        for import in [import.as_u128() & !(1 << 42), import.as_u128() | 1 << 42].map(Uuid::from_u128) {
            assert_eq!(row_of(import, import), None);
        }
    }
}
