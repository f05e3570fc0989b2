#![doc = include_str!("../README.md")]

mod alike;
mod calendar_date;
mod currency;
mod decimal;
mod domain_name;
mod email;
mod etag;
mod flaw;
mod id;
mod keys;
mod money;
mod phone;
mod search;
mod shown;
mod text;

pub use alike::{Alike, alike_companies, alike_people, company_key, mailbox, may_be_alike};
pub use calendar_date::parse_calendar_date;
pub use currency::Currency;
pub use decimal::{parse_decimal, show_decimal};
pub use domain_name::parse_domain_name;
pub use email::{email_key, parse_email};
pub use etag::Etag;
pub use flaw::{FIELD_REASONS, Flaw};
pub use id::{parse_id, unify_id};
pub use keys::{KEYS, check_name_prefix, name_key, name_key_prefix, text_key};
pub use money::Money;
pub use phone::parse_phone;
pub use search::{Match, Place, Sought, Term, Terms, begins_nearly, search_key};
pub use text::{TextRule, kept, lower_case, required, within};
