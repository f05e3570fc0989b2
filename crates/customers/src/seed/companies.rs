//! Companies: large ones first, by Zipf's law.

use std::fmt::Write;

use crm_resource::Resource;
use crm_resource::seed::{BEGIN_MS, Known, Random, SPAN_MS, USERS, texts, time};
use crm_values::{Currency, Terms, name_key};
use uuid::Uuid;

use crate::accounts::Account;

use super::set::Set;
use super::words::{COMPANY_FIRST, COMPANY_FORM, COMPANY_SECOND, COMPANY_THIRD, INDUSTRIES, PLACES};
use super::{ACCOUNTS_A_CHUNK, SeedSize, tags};

/// Zipf's exponent: of 200,000 contacts at 20,000 accounts the largest has 6,400 and the smallest two.
const EXPONENT: f64 = 0.8;
/// The largest accounts may have subsidiaries. They are all in the first chunk, which has none itself.
const PARENTS: u64 = 200;

/// What contacts need to know of their account.
#[derive(Debug, Clone)]
pub(super) struct Company {
    pub(super) id: Uuid,
    pub(super) domain: String,
    pub(super) owner: &'static str,
    /// When it was created, in milliseconds since 1970.
    pub(super) created: u64,
}

/// The `number`th company and its name. The same whatever the size: a larger demo set continues a smaller one.
pub(super) fn company(set: Set, number: u32) -> (Company, String, Random) {
    let (Known { id, created }, mut random) = set.account(number);
    let (first, second, round) = words(number);
    let form = random.pick(&COMPANY_FORM);
    let owner = *random.pick_early(&USERS);
    let (name, domain) = if set.is_large() {
        let third = round.checked_sub(1).map(|third| COMPANY_THIRD[third as usize % COMPANY_THIRD.len()]);
        let third = third.map(|third| format!(" {third}")).unwrap_or_default();
        (format!("{first}{second}{third} {form}"), format!("{}-{second}{round}.example", first.to_lowercase()))
    } else {
        let round = if round == 0 { String::new() } else { round.to_string() };
        (format!("{first}{second} {form}"), format!("{}{second}{round}.example", first.to_lowercase()))
    };
    // The one before once more, with a form that it has not.
    let name = if set.is_double(number) { company(set, number - 1).1 + " Ltd" } else { name };
    (Company { id, domain, owner, created }, name, random)
}

/// A line of `copy` for the `number`th company.
pub(super) fn row(set: Set, number: u32) -> String {
    let (company, name, mut random) = company(set, number);
    let industry = random.pick_early(&INDUSTRIES);
    let (territory, country, currency) = *random.pick_early(&PLACES);
    // Some four people work there for each one that we know.
    let employees = (people_of(number, set.size) * (2 + random.below(5)) + 1).min(10_000_000);
    let revenue = employees * (60_000 + random.below(240_000));
    let minor = Currency::parse(currency).map_or(100, Currency::minor_units).unsigned_abs();
    let founded = 1_900 + random.below(120);
    let parent = parent(set, number, &mut random);
    let (created, updated) = (company.created, updated(company.created, &mut random));
    let Company { id, domain, owner, .. } = company;
    let (key, revenue, parent) =
        (name_key(&name), revenue * minor, parent.map_or("\\N".to_owned(), |id| id.to_string()));
    let mut terms = Terms::default();
    terms.company("", &name);
    terms.address("", &domain);
    let (terms, tags) = (texts(&terms.stored(Account::KIND.terms)), tags::of_account(set, number));
    let mut line = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        line,
        "{id}\t{name}\t{key}\t{domain}\t{industry}\t{country}\t{territory}\t{owner}\t{employees}\t{revenue}\t{currency}\t\
         {founded}\t{parent}\t{}\t{}\t{terms}\t{tags}",
        time(created),
        time(updated)
    );
    line
}

/// Contacts that the first `count` companies have together, when those of all are shared out by Zipf's law.
///
/// The sum of the first n terms of 1/k^s is about n^(1-s)/(1-s).
pub(super) fn people_up_to(count: u32, size: SeedSize) -> u64 {
    let share = f64::from(count) / f64::from(size.accounts.max(1));
    let people = f64::from(size.contacts) * share.powf(1.0 - EXPONENT);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the contacts, a u32")]
    let people = people.round() as u64;
    people
}

fn people_of(number: u32, size: SeedSize) -> u64 {
    people_up_to(number + 1, size) - people_up_to(number, size)
}

/// One company in twenty belongs to a large one.
fn parent(set: Set, number: u32, random: &mut Random) -> Option<Uuid> {
    let is_subsidiary = random.chance(5);
    let parent = u32::try_from(random.below(PARENTS)).unwrap_or_default();
    (is_subsidiary && number >= ACCOUNTS_A_CHUNK).then(|| company(set, parent).0.id)
}

/// Two words that no other company has in the same round; the stride shares no factor with their number.
fn words(number: u32) -> (&'static str, &'static str, u32) {
    const PAIRS: u32 = 3_600;
    const STRIDE: u32 = 1_511;
    let pair = (number % PAIRS) * STRIDE % PAIRS;
    let (first, second) = ((pair / 60) as usize, (pair % 60) as usize);
    (COMPANY_FIRST[first], COMPANY_SECOND[second], number / PAIRS)
}

/// A later moment within the span.
pub(super) fn updated(created: u64, random: &mut Random) -> u64 {
    created + random.below(BEGIN_MS + SPAN_MS - created)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn sets() -> [Set; 2] {
        [Set::demo(SeedSize::DEMO), Set::large(1, SeedSize::DEMO)]
    }

    #[test]
    fn one_company_in_fifty_of_a_large_set_has_the_name_of_another() {
        let [_, set] = sets();
        let core = |number| crm_values::company_key(&company(set, number).1);
        let doubles = (1..20_000).filter(|number| core(*number) == core(number - 1)).count();
        assert_eq!(doubles, 400);
    }

    #[test]
    fn domains_are_unique_and_reserved() {
        let domains: HashSet<String> =
            (0..20_000).flat_map(|number| sets().map(|set| company(set, number).0.domain)).collect();
        assert_eq!(domains.len(), 40_000);
        assert!(domains.iter().all(|domain| crm_values::parse_domain_name(domain).as_ref() == Ok(domain)));
    }

    #[test]
    fn sizes_are_skewed_and_add_up() {
        let sizes: Vec<u64> = (0..20_000).map(|number| people_of(number, SeedSize::DEMO)).collect();
        assert_eq!(sizes.iter().sum::<u64>(), 200_000);
        assert!(sizes[0] > 5_000 && sizes[19_999] <= 3, "{} … {}", sizes[0], sizes[19_999]);
    }
}
