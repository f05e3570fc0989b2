//! Whether two accounts may be the same company.

use crm_resource::search::{Compared, Probes, Reasons};
use crm_values::{Alike, Place, alike_companies, company_key, search_key};

use super::{Account, Fields};

/// Of a domain, so many names above it are looked at.
const MOST_ABOVE: usize = 3;

impl Compared for Account {
    fn title(it: &Fields) -> String {
        it.name.clone()
    }

    fn probes(it: &Fields, probes: &mut Probes) {
        let (core, whole) = (company_key(&it.name), search_key(&it.name));
        probes.around(Place::Name, &core);
        if whole != core {
            probes.around(Place::Name, &whole);
        }
        // `The Acme` may be Acme, and the other way round.
        probes.same(Place::Word, &core);
        for (space, _) in core.match_indices(' ').take(2) {
            probes.same(Place::Name, &core[space + 1..]);
        }
        if let Some(domain) = &it.domain {
            probes.same(Place::Address, domain);
            above(domain).take(MOST_ABOVE).for_each(|above| probes.same(Place::Address, above));
            // The usual name below: others than the web's own are not guessed.
            probes.same(Place::Address, &format!("www.{domain}"));
        }
    }

    fn compare(one: &Fields, other: &Fields, reasons: &mut Reasons) {
        if let (Some(domain), Some(other)) = (&one.domain, &other.domain) {
            if domain == other {
                reasons.add("SAME_DOMAIN", 90);
            } else if above(domain).any(|above| above == other) || above(other).any(|above| above == domain) {
                reasons.add("RELATED_DOMAIN", 50);
            }
        }
        match alike_companies(&one.name, &other.name) {
            Some(Alike::Same) => reasons.add("SAME_NAME", 70),
            Some(Alike::Similar) => reasons.add("SIMILAR_NAME", 40),
            None => {}
        }
    }
}

/// The domains that a domain is part of, as far as they are anybody's own.
fn above(domain: &str) -> impl Iterator<Item = &str> {
    domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]).filter(|above| above.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_part_of_others() {
        assert_eq!(above("www.eu.acme.example").collect::<Vec<_>>(), ["eu.acme.example", "acme.example"]);
        assert_eq!(above("acme.example").count(), 0);
    }
}
