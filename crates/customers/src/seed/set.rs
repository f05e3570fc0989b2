//! What a set of data is drawn from, and how a large one is shared out among tenants.

use crm_resource::seed::{Known, Random, account};

use super::SeedSize;
use super::words::{FAMILIES, FAMILY, GIVEN, GIVENS, family, given};

/// Tenants of a large set: the first has half of everything, the others share the rest by Zipf's law.
pub(super) const TENANTS: u32 = 40;
/// One in so many companies and people of a large set is a double of the one before it.
const DOUBLE_EACH: u32 = 50;

/// A set of data of one tenant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    pub(super) size: SeedSize,
    /// The tenant's number in a large set; 0 in the demo set.
    tenant: u32,
}

impl Set {
    pub(super) fn demo(size: SeedSize) -> Self {
        Self { size, tenant: 0 }
    }

    /// Of the tenant with this number, from 1.
    pub(super) fn large(tenant: u32, size: SeedSize) -> Self {
        Self { size, tenant }
    }

    /// Whether names are many and some stand twice, as where people have worked for years.
    pub(super) fn is_large(self) -> bool {
        self.tenant > 0
    }

    /// The random numbers of the `number`th thing of its kind: others in each tenant.
    pub(super) fn random(self, kind: u64, number: u32) -> Random {
        Random::of_tenant(self.tenant, kind, number)
    }

    /// The `number`th account, as all services know it.
    pub(super) fn account(self, number: u32) -> (Known, Random) {
        account(self.tenant, number)
    }

    pub(super) fn is_double(self, number: u32) -> bool {
        self.is_large() && number % DOUBLE_EACH == DOUBLE_EACH - 1
    }

    /// Given and family name of somebody.
    pub(super) fn person(self, random: &mut Random) -> (String, String) {
        if self.is_large() {
            (given(random.skewed(GIVENS)), family(random.skewed(FAMILIES)))
        } else {
            ((*random.pick(&GIVEN)).to_owned(), (*random.pick(&FAMILY)).to_owned())
        }
    }
}

/// The name of the tenant with this number of a large set.
pub(super) fn tenant(name: &str, number: u32) -> String {
    if number == 1 { name.to_owned() } else { format!("{name}-{number}") }
}

/// What each tenant has of so many people, the first first. A tenth as many companies.
pub(super) fn large(contacts: u32) -> Vec<Set> {
    let (half, mut told) = (contacts / 2, 0);
    let weights = |tenants: u32| (1..=tenants).map(|rank| 1_000_000 / u64::from(rank)).sum::<u64>();
    let all = weights(TENANTS - 1);
    (1..=TENANTS)
        .map(|number| {
            let up_to = u64::from(half) + u64::from(contacts - half) * weights(number - 1) / all;
            let up_to = u32::try_from(up_to).unwrap_or(contacts);
            let contacts = up_to - told;
            told = up_to;
            Set::large(number, SeedSize { accounts: contacts.div_ceil(10), contacts })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_of_a_large_set_are_of_very_different_sizes_and_have_all_together() {
        let sets = large(1_000_000);
        let sizes: Vec<u32> = sets.iter().map(|set| set.size.contacts).collect();
        assert_eq!((sizes.len(), sizes.iter().sum::<u32>(), sizes[0]), (40, 1_000_000, 500_000));
        assert!(sizes.is_sorted_by(|one, next| one >= next) && sizes[1] > 100_000 && sizes[39] < 4_000, "{sizes:?}");
        assert!((100_000..100_040).contains(&sets.iter().map(|set| set.size.accounts).sum::<u32>()));
        assert_eq!([tenant("demo", 1), tenant("demo", 40)], ["demo", "demo-40"]);
        assert_eq!(large(0).iter().map(|set| set.size.contacts).sum::<u32>(), 0);
    }
}
