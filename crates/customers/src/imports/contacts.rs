//! Contacts in people's files.

use std::collections::{BTreeMap, HashMap, HashSet};

use crm_proto::customers as pb;
use crm_resource::imports::{Job, Line, Looks, Sheet, TakenBack, take_back};
use crm_resource::{Call, Error, New, Records, Write};
use crm_values::{Flaw, email_key, name_key, parse_email, parse_phone, search_key};
use tonic::async_trait;
use uuid::Uuid;

use super::accounts;
use super::named::{Found, Named, find, hold, note};
use crate::accounts::{Account, Fields as AccountFields};
use crate::contacts::{Contact, Fields};

/// Contacts, as they stand in files: with what they say of their accounts.
#[derive(Debug, Clone)]
pub(crate) struct ContactSheet {
    pub(crate) accounts: Records<Account>,
}

/// Those of `$2` that activities are about, or that others were merged into.
pub const CONTACTS_IN_USE: &str = "select wanted.id from unnest($2::uuid[]) as wanted (id) where coalesce(\
     (select true from customers.activities where tenant_id = $1 and parent_id = wanted.id and delete_time is null limit 1), \
     (select true from customers.merges where tenant_id = $1 and merged_into = wanted.id and resource = 'contacts' limit 1))";

#[async_trait]
impl Sheet for ContactSheet {
    type Resource = Contact;

    const EXTRAS: &'static [&'static str] = &["full_name", "account_domain", "account_name"];
    const NEEDED: &'static [&'static [&'static str]] =
        &[&["account_id", "account_domain", "account_name"], &["given_name", "family_name", "full_name"]];
    const REFERENCES: &'static [&'static str] = &["account_id"];
    const SPELLINGS: &'static [(&'static str, &'static [&'static str])] = &[
        ("given_name", &["firstname", "forename", "vorname", "prenom", "nombre", "nombredepila"]),
        (
            "family_name",
            &["lastname", "surname", "nachname", "familienname", "nom", "nomdefamille", "apellido", "apellidos"],
        ),
        (
            "full_name",
            &[
                "name",
                "contact",
                "contactname",
                "kontakt",
                "ansprechpartner",
                "nomcomplet",
                "nombrecompleto",
                "contacto",
            ],
        ),
        ("title", &["jobtitle", "position", "role", "funktion", "fonction", "poste", "cargo", "puesto"]),
        (
            "emails",
            &[
                "email",
                "emailaddress",
                "mail",
                "workemail",
                "primaryemail",
                "emailadresse",
                "adresseemail",
                "courriel",
                "correo",
                "correoelectronico",
            ],
        ),
        (
            "phones",
            &[
                "phone",
                "phonenumber",
                "telephone",
                "tel",
                "mobile",
                "mobilephone",
                "cell",
                "workphone",
                "homephone",
                "telefon",
                "telefonnummer",
                "handy",
                "mobil",
                "telefono",
                "movil",
                "portable",
            ],
        ),
        ("owner", &["contactowner", "betreuer", "verantwortlich", "responsable", "proprietaire", "propietario"]),
        (
            "account_name",
            &[
                "company",
                "companyname",
                "account",
                "organization",
                "organisation",
                "customer",
                "employer",
                "firma",
                "firmenname",
                "unternehmen",
                "kunde",
                "entreprise",
                "societe",
                "empresa",
            ],
        ),
        ("account_domain", &["companydomain", "domain", "website", "domaine", "dominio"]),
    ];
    const LOOKS: &'static [Looks] =
        &[("emails", |text| parse_email(text).is_ok()), ("phones", |text| parse_phone(text).is_ok())];

    /// `Love, Ada` and `Ada Love`.
    fn complete(line: &mut Line<Contact>) {
        let whole = line.extra("full_name").to_owned();
        if whole.is_empty() || !line.message.given_name.is_empty() || !line.message.family_name.is_empty() {
            return;
        }
        let (given, family) = match (whole.split_once(','), whole.rsplit_once(char::is_whitespace)) {
            (Some((family, given)), _) => (given, family),
            (None, Some((given, family))) => (given, family),
            (None, None) => ("", whole.as_str()),
        };
        (line.message.given_name, line.message.family_name) = (given.trim().to_owned(), family.trim().to_owned());
    }

    fn same(fields: &Fields) -> Vec<String> {
        let emails = fields.emails().iter().map(|email| format!("e{}", email_key(email)));
        let phones = fields.phones().iter().map(|phone| format!("p{phone}"));
        let name = search_key(&[fields.given_name(), fields.family_name()].join(" "));
        emails.chain(phones).chain([format!("n{}{name}", fields.account_id())]).collect()
    }

    async fn settle(&self, write: &mut Write, job: &Job, lines: &mut [Line<Contact>]) -> Result<(), Error> {
        let named: Vec<Named> = lines.iter().map(of_line).collect();
        let found = find(write, &named).await?;
        let there = hold(&self.accounts, write, job, &found).await?;
        let required = match job.creates_along {
            true => self.accounts.required_attributes(write, job).await?,
            false => Vec::new(),
        };
        let mut new = NewAccounts { required, ..NewAccounts::default() };
        for ((line, named), found) in lines.iter_mut().zip(&named).zip(found) {
            match found {
                Found::One(id) if there.contains(&id) => line.message.account_id = id.to_string(),
                Found::None if named.id.is_empty() && !named.is_empty() && job.creates_along => {
                    new.add(&write.call, job, line, named);
                }
                // That it is missing, or no id, is told by the field's own rule.
                Found::None if named.is_empty() || !named.id.is_empty() => {}
                found => note(line, "account_id", found),
            }
        }
        Ok(())
    }

    fn along(_: &Job, lines: &[Line<Contact>]) -> Vec<String> {
        lines.iter().filter_map(|line| line.along).map(|id| id.to_string()).collect()
    }

    async fn make_along(&self, write: &mut Write, _: &Job, lines: &[Line<Contact>]) -> Result<usize, Error> {
        let mut accounts: BTreeMap<Uuid, AccountFields> = BTreeMap::new();
        for line in lines {
            if let Some(id) = line.along.filter(|id| !accounts.contains_key(id)) {
                accounts.insert(id, account(&write.call, &of_line(line))?);
            }
        }
        let made = self.accounts.insert_many(write, accounts.iter().map(|(id, fields)| (*id, fields))).await?;
        if made.len() < accounts.len() {
            // Somebody has just made one with this domain: the next try finds it.
            return Err(Error::Inconsistent("an account was made by somebody else at the same moment"));
        }
        Ok(made.len())
    }

    async fn used(&self, write: &mut Write, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        let query = sqlx::query(CONTACTS_IN_USE).bind(write.call.tenant).bind(ids);
        let used = write.fetch_all::<(Uuid,)>("find_contacts_in_use", query).await?;
        Ok(used.into_iter().map(|(id,)| id).collect())
    }

    async fn take_back_along(&self, write: &mut Write, ids: &[Uuid]) -> Result<TakenBack, Error> {
        take_back(&self.accounts, write, ids, async |write, ids| accounts::used(write, ids).await).await
    }
}

fn of_line(line: &Line<Contact>) -> Named {
    // What was found once is no longer asked for by its id.
    let id = if line.along.is_some() { "" } else { line.message.account_id.as_str() };
    Named::new(id, line.extra("account_domain"), line.extra("account_name"))
}

/// Accounts that the rows of a step name and that are not there. Who comes later names the same ones, by domain or name.
#[derive(Debug, Default)]
struct NewAccounts {
    by_domain: HashMap<String, Uuid>,
    by_name: HashMap<String, Uuid>,
    /// Attributes that accounts must have: no file of contacts has them.
    required: Vec<String>,
}

impl NewAccounts {
    fn add(&mut self, call: &Call, job: &Job, line: &mut Line<Contact>, named: &Named) {
        let key = name_key(&named.name);
        let known = self.by_domain.get(&named.domain).or_else(|| self.by_name.get(&key)).copied();
        let id = match known {
            Some(id) => id,
            None if !self.required.is_empty() => {
                let keys = self.required.join(", ");
                let rule = format!("an account that is to be made needs attributes that contacts do not bring: {keys}");
                line.message.account_id = Uuid::nil().to_string();
                return line.add("account_name", Flaw::new(Flaw::REQUIRED, rule));
            }
            None => match account(call, named) {
                // In a check, the same one in each step.
                Ok(_) if job.is_dry => job.id_named(&key),
                Ok(_) => job.id_along(line.row),
                Err(_) => {
                    let rule = "an account that is to be made needs a name of up to 200 characters";
                    // That it has none is told once.
                    line.message.account_id = Uuid::nil().to_string();
                    return line.add("account_name", Flaw::malformed(rule));
                }
            },
        };
        if !named.domain.is_empty() {
            self.by_domain.entry(named.domain.clone()).or_insert(id);
        }
        self.by_name.entry(key).or_insert(id);
        (line.along, line.message.account_id) = (Some(id), id.to_string());
    }
}

/// The account that a row names, by the rules of any creation.
fn account(call: &Call, named: &Named) -> Result<AccountFields, Error> {
    let (name, domain) = (named.name.clone(), named.domain.clone());
    let account = Some(pb::Account { name, domain, ..pb::Account::default() });
    let request_id = Uuid::from_u128(1).to_string();
    let request = pb::CreateAccountRequest { account, request_id, ..pb::CreateAccountRequest::default() };
    Ok(New::<Account>::read(call.clone(), request)?.fields)
}
