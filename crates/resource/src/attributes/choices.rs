//! What there is to choose from.

use crm_proto::attributes as pb;
use crm_values::{Flaw, TextRule, required, within};
use serde::{Deserialize, Serialize};

use crate::Violations;

const MOST: usize = 100;
const VALUE: TextRule = required(60);
const NAME: TextRule = within(100);

/// One of the values of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Choice {
    /// What records have.
    pub value: String,
    /// What people call it; empty where that is the value.
    pub display_name: String,
    /// It is not to be chosen any more.
    pub archived: bool,
}

impl From<Choice> for pb::Choice {
    fn from(Choice { value, display_name, archived }: Choice) -> Self {
        Self { value, display_name, archived }
    }
}

/// What a request says that there is to choose from.
pub(super) fn read(path: &str, stored: &[Choice], message: &[pb::Choice], found: &mut Violations) -> Vec<Choice> {
    if message.len() > MOST {
        found.add(path, Flaw::new(Flaw::TOO_LONG, "must have at most 100 items"));
    }
    let mut choices: Vec<Choice> = Vec::with_capacity(message.len().min(MOST));
    for (index, choice) in message.iter().take(MOST).enumerate() {
        let path = format!("{path}[{index}]");
        let is_there = stored.iter().any(|known| known.value == choice.value);
        let value = if is_there { Ok(choice.value.clone()) } else { VALUE.parse(&choice.value) };
        let value = found.check(&format!("{path}.value"), value);
        if choices.iter().any(|other| other.value == value) && !value.is_empty() {
            found.add(&format!("{path}.value"), Flaw::new(Flaw::CONTRADICTION, "is there before"));
        }
        let is_named_so = stored.iter().any(|known| known.display_name == choice.display_name);
        let name = if is_named_so { Ok(choice.display_name.clone()) } else { NAME.parse(&choice.display_name) };
        let display_name = found.check(&format!("{path}.display_name"), name);
        choices.push(Choice { value, display_name, archived: choice.archived });
    }
    choices
}

/// None that is there may be missing afterwards: records may have it.
pub(super) fn check_kept(before: &[Choice], now: &[Choice], path: &str, found: &mut Violations) {
    let missing = before.iter().filter(|known| now.iter().all(|choice| choice.value != known.value)).count();
    if missing > 0 {
        let rule =
            "must have all choices that there are: records may have them. One that is not to be chosen is archived";
        found.add(path, Flaw::new(Flaw::IMMUTABLE, rule));
    }
}
