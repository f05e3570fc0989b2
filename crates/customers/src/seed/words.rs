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

pub(super) const OWNERS: [&str; 40] = [
    "ada", "amir", "anna", "ben", "bo", "carla", "chen", "dana", "david", "elif", "emil", "esther", "fatima", "felix",
    "gabor", "grace", "hana", "hugo", "ines", "ivan", "jana", "joao", "kofi", "lara", "leo", "lin", "maria", "milan",
    "nadia", "noah", "olga", "omar", "paula", "quinn", "rosa", "sami", "tara", "uma", "viktor", "wanda",
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
