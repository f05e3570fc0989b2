//! Contacts of an opportunity, with the part that each plays.

use crm_proto::sales::opportunity as pb;
use crm_resource::{Error, Item, Violations};
use crm_values::{Flaw, parse_id, within};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Of an opportunity.
pub(super) const MOST: usize = 20;

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub(super) contact_id: Uuid,
    role: String,
}

/// Nobody comes twice.
pub(super) fn check(people: &[Person], found: &mut Violations) {
    const FIELD: &str = "opportunity.contacts";
    if !found.is_clear(FIELD) {
        return;
    }
    for (index, person) in people.iter().enumerate() {
        if people[..index].iter().any(|other| other.contact_id == person.contact_id) {
            let flaw = Flaw::new(Flaw::CONTRADICTION, "is among the contacts already");
            found.add(&format!("{FIELD}[{index}].contact_id"), flaw);
        }
    }
}

pub(super) fn read(message: &pb::Contact, _before: &[Person], item: &mut Item<'_>) -> Person {
    let contact_id = item.check("contact_id", parse_id(&message.contact_id));
    Person { contact_id, role: item.check("role", within(60).parse(&message.role)) }
}

pub(super) fn show(person: Person) -> Result<pb::Contact, Error> {
    Ok(pb::Contact { contact_id: person.contact_id.to_string(), role: person.role })
}
