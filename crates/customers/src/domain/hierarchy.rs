//! Subsidiaries: whether an account may be put under another.

use super::AccountId;

/// Most accounts that may stand above another.
///
/// It bounds the walk upwards; real groups have fewer than ten levels.
pub const MAX_ANCESTORS: usize = 32;

/// What stands above a place in the hierarchy, the place itself first.
#[derive(Debug)]
pub struct Ancestry(Vec<AccountId>);

/// Why an account may not be put under another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It would become its own ancestor.
    Cycle,
    /// Somebody would have more than [`MAX_ANCESTORS`].
    TooDeep,
}

impl Ancestry {
    /// The parent-to-be and its ancestors, at least `MAX_ANCESTORS + 1` of them if there are as many.
    pub fn new(path: Vec<AccountId>) -> Self {
        Self(path)
    }

    /// Whether `child` may be put here, with the `height` levels of subsidiaries that it brings along.
    ///
    /// # Errors
    /// The child is itself part of the path, or it or its lowest subsidiary would have too much above it.
    pub fn admit(&self, child: AccountId, height: usize) -> Result<(), Obstacle> {
        if self.0.contains(&child) {
            Err(Obstacle::Cycle)
        } else if self.0.len().saturating_add(height) > MAX_ANCESTORS {
            Err(Obstacle::TooDeep)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn path(length: u128) -> Ancestry {
        Ancestry::new((1..=length).map(|n| AccountId(Uuid::from_u128(n))).collect())
    }

    #[test]
    fn an_account_never_gets_under_itself_nor_too_deep() {
        let child = |n| AccountId(Uuid::from_u128(n));
        assert_eq!(path(3).admit(child(9), 0), Ok(()));
        assert_eq!(path(3).admit(child(1), 0), Err(Obstacle::Cycle));
        assert_eq!(path(3).admit(child(3), 0), Err(Obstacle::Cycle));
        assert_eq!(path(32).admit(child(99), 0), Ok(()));
        assert_eq!(path(33).admit(child(99), 0), Err(Obstacle::TooDeep));
        assert_eq!(path(3).admit(child(99), 29), Ok(()));
        assert_eq!(path(3).admit(child(99), 30), Err(Obstacle::TooDeep));
    }
}
