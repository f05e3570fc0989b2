//! Whether two contacts may be the same person.

use std::collections::HashSet;

use crm_resource::search::{Compared, Probes, Reasons};
use crm_values::{Alike, Place, Terms, alike_people, email_key, mailbox};

use super::{Contact, Fields};

impl Compared for Contact {
    fn title(it: &Fields) -> String {
        [it.given_name.as_str(), it.family_name.as_str()].join(" ").trim().to_owned()
    }

    fn probes(it: &Fields, probes: &mut Probes) {
        let mut terms = Terms::default();
        terms.person(("given_name", &it.given_name), ("family_name", &it.family_name));
        it.phones.iter().for_each(|phone| terms.phone("phones", phone));
        for term in terms.iter() {
            match term.place {
                Place::Name => probes.around(term.place, &term.key),
                Place::Phone => probes.same(term.place, &term.key),
                Place::Word | Place::Address | Place::PhoneEnd => {}
            }
        }
        for email in it.emails.iter().map(|email| email_key(email)) {
            let mailbox = mailbox(&email);
            probes.same(Place::Address, &email);
            if mailbox != email {
                probes.same(Place::Address, &mailbox);
            }
            if let Some((local, _)) = mailbox.split_once('@') {
                probes.beginning(Place::Address, &format!("{local}+"));
            }
        }
    }

    fn compare(one: &Fields, other: &Fields, reasons: &mut Reasons) {
        let emails = |it: &Fields| it.emails.iter().map(|email| email_key(email)).collect::<HashSet<_>>();
        let (emails, other_emails) = (emails(one), emails(other));
        let mailboxes = |emails: &HashSet<String>| emails.iter().map(|email| mailbox(email)).collect::<HashSet<_>>();
        if !emails.is_disjoint(&other_emails) {
            reasons.add("SAME_EMAIL", 90);
        } else if !mailboxes(&emails).is_disjoint(&mailboxes(&other_emails)) {
            reasons.add("SAME_MAILBOX", 80);
        }
        if one.phones.iter().any(|phone| other.phones.contains(phone)) {
            reasons.add("SAME_PHONE", 60);
        }
        match alike_people((&one.given_name, &one.family_name), (&other.given_name, &other.family_name)) {
            Some(Alike::Same) => reasons.add("SAME_NAME", 50),
            Some(Alike::Similar) => reasons.add("SIMILAR_NAME", 35),
            None => {}
        }
        if reasons.is_empty() {
            return;
        }
        if !one.account_id.is_nil() && one.account_id == other.account_id {
            reasons.add("SAME_ACCOUNT", 30);
        }
        if !domains(&emails).is_disjoint(&domains(&other_emails)) {
            reasons.add("SAME_EMAIL_DOMAIN", 20);
        }
    }
}

fn domains(emails: &HashSet<String>) -> HashSet<&str> {
    emails.iter().filter_map(|email| email.rsplit_once('@')).map(|(_, domain)| domain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(given: &str, family: &str, email: &str, phone: &str) -> Fields {
        let texts = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        let (given_name, family_name) = (given.to_owned(), family.to_owned());
        Fields { given_name, family_name, emails: texts(email), phones: texts(phone), ..Fields::default() }
    }

    #[test]
    fn colleagues_are_not_the_same_person() {
        let mut reasons = Reasons::default();
        let one = person("Ada", "Love", "ada@x.example", "+14155550123");
        Contact::compare(&one, &person("Grace", "Hopper", "grace@x.example", "+14155550124"), &mut reasons);
        assert!(reasons.is_empty());
    }
}
