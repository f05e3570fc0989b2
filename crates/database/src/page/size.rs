//! The size of a page.

use super::PageError;

/// Rows of a page when the request names no size.
pub const DEFAULT_SIZE: u32 = 50;
/// Most rows of a page; larger sizes count as this one.
pub const MAX_SIZE: u32 = 1_000;

/// Rows to give for a requested size: 0 means [`DEFAULT_SIZE`], more than [`MAX_SIZE`] means that, negative is refused.
pub fn page_size(requested: i32) -> Result<u32, PageError> {
    match u32::try_from(requested) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(PageError::NegativeSize(requested)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_clamped_and_never_negative() {
        let check = |requested, expected| assert_eq!(page_size(requested), expected);
        check(0, Ok(50));
        check(1, Ok(1));
        check(1_000, Ok(1_000));
        check(i32::MAX, Ok(1_000));
        check(-1, Err(PageError::NegativeSize(-1)));
        check(i32::MIN, Err(PageError::NegativeSize(i32::MIN)));
    }
}
