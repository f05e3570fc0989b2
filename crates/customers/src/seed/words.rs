//! Words that companies and people are made of. All domains end in `.example` (RFC 2606).

#[rustfmt::skip]
pub(super) const COMPANY_FIRST: [&str; 60] = [
    "Amber", "Anchor", "Aspen", "Aurora", "Azure", "Beacon", "Birch", "Blue", "Bright", "Cedar", "Cinder", "Clear",
    "Cobalt", "Copper", "Coral", "Crown", "Dawn", "Delta", "Eagle", "East", "Elder", "Ember", "Evergreen", "Falcon",
    "Fern", "Flint", "Forest", "Gold", "Granite", "Green", "Harbor", "Hazel", "High", "Iron", "Ivory", "Jade",
    "Juniper", "Lake", "Lantern", "Linden", "Maple", "Marble", "Meadow", "Mill", "Moon", "North", "Oak", "Ocean",
    "Orchid", "Pine", "Polar", "Quartz", "Raven", "River", "Sable", "Silver", "Stone", "Summit", "Timber", "Willow",
];

pub(super) const COMPANY_SECOND: [&str; 60] = [
    "arc", "bank", "bay", "bell", "berg", "bloom", "bridge", "brook", "cast", "cliff", "craft", "crest", "dale",
    "deck", "drift", "edge", "fall", "field", "fleet", "flow", "ford", "forge", "frame", "gate", "glen", "grove",
    "guard", "haven", "hill", "hold", "house", "key", "land", "leaf", "light", "line", "link", "loom", "mark", "mont",
    "path", "peak", "point", "port", "quay", "reach", "ridge", "rise", "rock", "root", "sail", "shore", "spring",
    "stead", "step", "stream", "vale", "view", "ware", "works",
];

pub(super) const COMPANY_FORM: [&str; 12] =
    ["Ltd", "Inc", "GmbH", "Group", "Partners", "& Sons", "Labs", "Systems", "Holding", "AG", "Co", "International"];

/// What tells companies of a large set apart that share their first two words.
#[rustfmt::skip]
pub(super) const COMPANY_THIRD: [&str; 24] = [
    "Analytics", "Bakery", "Brewing", "Capital", "Ceramics", "Chemical", "Data", "Dental", "Design", "Electric", "Foods",
    "Freight", "Furniture", "Glass", "Instruments", "Legal", "Marine", "Optics", "Paper", "Pharma", "Robotics", "Solar",
    "Textiles", "Travel",
];

/// The earlier the more companies.
#[rustfmt::skip]
pub(super) const INDUSTRIES: [&str; 20] = [
    "retail", "software", "manufacturing", "services", "medical", "finance", "logistics", "construction",
    "technology", "marketing", "telecommunications", "hospitality", "education", "energy", "insurance",
    "entertainment", "real estate", "agriculture", "employment", "media",
];

/// Territory, country, currency. The earlier the more companies.
pub(super) const PLACES: [(&str, &str, &str); 14] = [
    ("us-east", "United States", "USD"),
    ("us-west", "United States", "USD"),
    ("dach", "Germany", "EUR"),
    ("uki", "United Kingdom", "GBP"),
    ("us-central", "United States", "USD"),
    ("emea-south", "France", "EUR"),
    ("nordics", "Sweden", "SEK"),
    ("benelux", "Netherlands", "EUR"),
    ("apac", "Japan", "JPY"),
    ("emea-south", "Italy", "EUR"),
    ("latam", "Brazil", "BRL"),
    ("anz", "Australia", "AUD"),
    ("dach", "Switzerland", "CHF"),
    ("mena", "Kuwait", "KWD"),
];

pub(super) const GIVEN: [&str; 72] = [
    "Ada", "Aisha", "Alan", "Alice", "Amara", "Amir", "Ana", "Andrés", "Anika", "Arjun", "Astrid", "Ben", "Bianca",
    "Björn", "Carla", "Carlos", "Chloé", "Daniel", "Daria", "David", "Diego", "Elena", "Elif", "Emma", "Erik", "Eva",
    "Farid", "Fatima", "Felix", "Freya", "Grace", "Hana", "Hassan", "Helena", "Hiro", "Ines", "Ingrid", "Isaac",
    "Ivan", "Jakob", "Jane", "João", "Jonas", "José", "Julia", "Karim", "Kate", "Kenji", "Lara", "Leila", "Liam",
    "Lucía", "Magnus", "Maria", "Mei", "Miguel", "Nadia", "Noor", "Olga", "Oscar", "Paula", "Pedro", "Priya", "Rosa",
    "Samuel", "Sofia", "Tariq", "Thomas", "Viktor", "Wei", "Yara", "Zoë",
];

#[rustfmt::skip]
pub(super) const FAMILY: [&str; 96] = [
    "Abe", "Adams", "Ahmed", "Almeida", "Andersson", "Baker", "Bauer", "Becker", "Berg", "Bianchi", "Brown",
    "Campbell", "Carter", "Castillo", "Chen", "Clark", "Costa", "Cruz", "Davies", "Delgado", "Díaz", "Dubois",
    "Edwards", "Evans", "Fernández", "Ferrari", "Fischer", "Fontaine", "Foster", "García", "Gomez", "Gray", "Green",
    "Gupta", "Haas", "Hall", "Hansen", "Harris", "Hernández", "Hill", "Hoffmann", "Ito", "Ivanov", "Jansen", "Jensen",
    "Johnson", "Jones", "Kaya", "Keller", "Khan", "Kim", "King", "Koch", "Kowalski", "Kumar", "Larsen", "Laurent",
    "Lee", "Li", "Lopes", "Martin", "Meyer", "Miller", "Moore", "Moreau", "Müller", "Nakamura", "Nguyen", "Nielsen",
    "Novak", "O'Brien", "Okafor", "Olsen", "Park", "Patel", "Peeters", "Pereira", "Popescu", "Rossi", "Roux", "Sato",
    "Schmidt", "Schneider", "Silva", "Singh", "Smith", "Suzuki", "Taylor", "Tanaka", "Thompson", "Torres", "Weber",
    "Williams", "Wilson", "Wright", "Zhang",
];

#[rustfmt::skip]
pub(super) const TITLES: [&str; 24] = [
    "Account Manager", "Buyer", "Chief Executive", "Chief Financial Officer", "Consultant", "Controller",
    "Data Analyst", "Designer", "Developer", "Engineer", "Facility Manager", "Head of IT", "Head of Marketing",
    "Head of Purchasing", "Head of Sales", "Legal Counsel", "Logistics Manager", "Office Manager",
    "Operations Manager", "Product Manager", "Project Manager", "Quality Manager", "Sales Representative",
    "Team Lead",
];

pub(super) const CALLS: [&str; 8] = [
    "Asked for a price list",
    "Called back about the delivery",
    "Checked who decides",
    "Complaint about an invoice",
    "First call",
    "Follow-up on the offer",
    "Left a message",
    "Yearly review by phone",
];

pub(super) const MEETINGS: [&str; 6] =
    ["Contract review", "Demonstration", "Kick-off", "Lunch", "Site visit", "Workshop with the buyers"];

pub(super) const TASKS: [&str; 10] = [
    "Ask for a reference",
    "Book a room",
    "Call about the renewal",
    "Check the credit limit",
    "Prepare the contract",
    "Send samples",
    "Send the minutes",
    "Send the offer",
    "Update the address",
    "Write a summary",
];

/// In the text form of `copy`: two of them have several lines.
pub(super) const BODIES: [&str; 8] = [
    "Budget is decided in spring.",
    "Happy with the service, less so with the price.",
    "Met at the fair.\\nWants to see the new catalogue.",
    "Moves to a new building next year.",
    "Prefers to be called in the morning.",
    "They compare two offers:\\n- ours\\n- one from abroad",
    "Was referred by a partner.",
    "Will come back after the holidays.",
];

/// Names of a large set: those above, and made ones, so many together.
pub(super) const GIVENS: u32 = 2_000;
pub(super) const FAMILIES: u32 = 20_000;

#[rustfmt::skip]
const GIVEN_BEGIN: [&str; 50] = [
    "Abi", "Ade", "Ali", "Ama", "Ari", "Bela", "Beni", "Bri", "Cami", "Ceci", "Clari", "Dali", "Dami", "Dori", "Edi",
    "Eli", "Emi", "Fabi", "Fili", "Flori", "Gabi", "Gia", "Gili", "Hari", "Heli", "Ida", "Ili", "Jani", "Jeri", "Joli",
    "Kali", "Kiri", "Lani", "Leo", "Lori", "Mali", "Meli", "Mira", "Nali", "Neri", "Ori", "Pali", "Rami", "Reni", "Sali",
    "Seli", "Tami", "Teri", "Vali", "Zeni",
];

#[rustfmt::skip]
const GIVEN_END: [&str; 40] = [
    "ane", "ard", "as", "bert", "celle", "cia", "da", "della", "don", "dra", "el", "ette", "fa", "gard", "ka", "ko", "la",
    "lene", "lia", "line", "lo", "mar", "mira", "mund", "na", "nda", "ne", "nor", "ra", "ric", "rik", "ro", "sa", "shan",
    "ta", "than", "tine", "va", "win", "ya",
];

#[rustfmt::skip]
const FAMILY_BEGIN: [&str; 40] = [
    "Ald", "Ander", "Barn", "Bel", "Berg", "Bor", "Brand", "Cal", "Carl", "Dal", "Den", "Dom", "Eck", "El", "Fal", "Fern",
    "Gal", "Ger", "Hal", "Hart", "Hol", "Ing", "Jan", "Kal", "Kor", "Lam", "Lind", "Mar", "Mel", "Nor", "Ol", "Pal", "Pet",
    "Ros", "Sand", "Stein", "Tor", "Val", "Wal", "Zel",
];

#[rustfmt::skip]
const FAMILY_MIDDLE: [&str; 25] = [
    "a", "al", "am", "an", "ar", "e", "eb", "el", "em", "en", "er", "i", "ic", "il", "in", "ir", "o", "ol", "on", "or", "u",
    "ul", "un", "ur", "y",
];

#[rustfmt::skip]
const FAMILY_END: [&str; 20] = [
    "bach", "berg", "by", "dez", "field", "ford", "hoff", "ides", "ini", "kin", "land", "ley", "man", "ov", "quist", "sen",
    "ski", "son", "ton", "wood",
];

/// The given name of this rank; the smaller, the more have it.
pub(super) fn given(rank: u32) -> String {
    // In an order that is not the alphabet's: the strides share no factor with the numbers of names.
    let rank = rank as usize;
    match rank.checked_sub(GIVEN.len()) {
        None => GIVEN[rank * 29 % GIVEN.len()].to_owned(),
        Some(made) => {
            let (made, ends) = (made * 691 % 2_000, GIVEN_END.len());
            [GIVEN_BEGIN[made / ends % GIVEN_BEGIN.len()], GIVEN_END[made % ends]].concat()
        }
    }
}

/// The family name of this rank, as [`given`].
pub(super) fn family(rank: u32) -> String {
    let rank = rank as usize;
    match rank.checked_sub(FAMILY.len()) {
        None => FAMILY[rank * 37 % FAMILY.len()].to_owned(),
        Some(made) => {
            let made = made * 7_919 % 20_000;
            let (begin, rest) = (made / 500 % FAMILY_BEGIN.len(), made % 500);
            [FAMILY_BEGIN[begin], FAMILY_MIDDLE[rest / 20], FAMILY_END[rest % 20]].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_of_a_large_set_are_many() {
        let givens: HashSet<String> = (0..GIVENS).map(given).collect();
        let families: HashSet<String> = (0..FAMILIES).map(family).collect();
        assert!(givens.len() > 1_990 && families.len() > 19_990, "{} {}", givens.len(), families.len());
    }
}
