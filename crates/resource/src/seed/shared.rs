//! What the seeds of several services have to agree on: whom and what they name.

use uuid::Uuid;

use super::Random;

/// 2024-01-01T00:00:00Z, in milliseconds since 1970.
pub const BEGIN_MS: u64 = 1_704_067_200_000;
/// Two years: data end before any release of this code, so no row seems to come from the future.
pub const SPAN_MS: u64 = 2 * 365 * 24 * 3_600_000;
/// Accounts of the demo set.
pub const DEMO_ACCOUNTS: u32 = 20_000;

/// Who owns and makes records, those with the most first.
pub const USERS: [&str; 40] = [
    "ada", "amir", "anna", "ben", "bo", "carla", "chen", "dana", "david", "elif", "emil", "esther", "fatima", "felix",
    "gabor", "grace", "hana", "hugo", "ines", "ivan", "jana", "joao", "kofi", "lara", "leo", "lin", "maria", "milan",
    "nadia", "noah", "olga", "omar", "paula", "quinn", "rosa", "sami", "tara", "uma", "viktor", "wanda",
];

const ACCOUNT: u64 = 0x00ac_c041;

/// An account of customers.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its id.
    pub id: Uuid,
    /// When it was created, in milliseconds since 1970.
    pub created: u64,
}

/// The `number`th account of the tenant with this number (0 has the demo set), and the random numbers that the rest of it is
/// drawn from.
pub fn account(tenant: u32, number: u32) -> (Known, Random) {
    let mut random = Random::of_tenant(tenant, ACCOUNT, number);
    let created = created(number);
    (Known { id: random.id(created), created }, random)
}

/// As many as the demo set has come in the first half of the span, evenly. Those of a larger set come in the same time, beside
/// them.
fn created(number: u32) -> u64 {
    BEGIN_MS + SPAN_MS / 2 * u64::from(number % DEMO_ACCOUNTS) / u64::from(DEMO_ACCOUNTS)
}
