//! Accounts in people's files.

use std::collections::{BTreeSet, HashMap, HashSet};

use crm_resource::imports::{Job, Line, Looks, Sheet};
use crm_resource::{Error, Records, Write};
use crm_values::{Flaw, company_key, parse_domain_name};
use tonic::async_trait;
use uuid::Uuid;

use super::named::{Found, Named, find, hold, host, note};
use crate::accounts::{Account, Fields, MAX_ANCESTORS, PARENT_TOO_DEEP, share_hierarchy};

/// Accounts, as they stand in files.
#[derive(Debug, Clone)]
pub(crate) struct AccountSheet {
    pub(crate) accounts: Records<Account>,
}

/// Those of `$2` that contacts, subsidiaries or activities hang on, or that others were merged into.
pub const ACCOUNTS_IN_USE: &str = "select wanted.id from unnest($2::uuid[]) as wanted (id) where coalesce(\
     (select true from customers.contacts where tenant_id = $1 and account_id = wanted.id and delete_time is null limit 1), \
     (select true from customers.accounts where tenant_id = $1 and parent_id = wanted.id and delete_time is null limit 1), \
     (select true from customers.activities where tenant_id = $1 and parent_id = wanted.id and delete_time is null limit 1), \
     (select true from customers.merges where tenant_id = $1 and merged_into = wanted.id and resource = 'accounts' limit 1))";

/// How many accounts each of `$2` stands under, itself counted, up to one more than `$3`. What was merged into another is
/// that one.
pub const DEPTHS: &str = "with recursive path (below, parent_id, length) as (\
     select id, parent_id, 1 from customers.accounts where tenant_id = $1 and id = any($2) \
     union all \
     select path.below, parent.parent_id, path.length + 1 from path \
     join customers.accounts parent on parent.tenant_id = $1 and parent.id = coalesce((select winner_id \
     from customers.merges where merges.tenant_id = $1 and merges.id = path.parent_id and merges.resource = 'accounts'), \
     path.parent_id) \
     where path.length <= $3) \
     select below, max(length) from path group by below";

/// Those of these accounts that something hangs on.
pub(super) async fn used(write: &mut Write, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let query = sqlx::query(ACCOUNTS_IN_USE).bind(write.call.tenant).bind(ids);
    let used = write.fetch_all::<(Uuid,)>("find_accounts_in_use", query).await?;
    Ok(used.into_iter().map(|(id,)| id).collect())
}

#[async_trait]
impl Sheet for AccountSheet {
    type Resource = Account;

    const EXTRAS: &'static [&'static str] = &["website", "parent_domain", "parent_name"];
    const NEEDED: &'static [&'static [&'static str]] = &[&["name"]];
    const REFERENCES: &'static [&'static str] = &["parent_id"];
    const SPELLINGS: &'static [(&'static str, &'static [&'static str])] = &[
        (
            "name",
            &[
                "company",
                "companyname",
                "account",
                "accountname",
                "organization",
                "organisation",
                "customer",
                "client",
                "firma",
                "firmenname",
                "unternehmen",
                "kunde",
                "kundenname",
                "entreprise",
                "societe",
                "raisonsociale",
                "nom",
                "empresa",
                "razonsocial",
                "nombre",
                "cliente",
            ],
        ),
        ("domain", &["companydomain", "webdomain", "domaine", "dominio"]),
        ("website", &["web", "url", "homepage", "site", "siteweb", "sitioweb", "webseite", "internet"]),
        ("industry", &["sector", "branche", "industrie", "secteur", "industria"]),
        ("country", &["land", "pays", "pais"]),
        ("territory", &["region", "gebiet", "vertriebsgebiet", "territoire", "territorio"]),
        ("owner", &["accountowner", "betreuer", "verantwortlich", "responsable", "proprietaire", "propietario"]),
        (
            "employees",
            &[
                "numberofemployees",
                "employeecount",
                "mitarbeiter",
                "mitarbeiterzahl",
                "anzahlmitarbeiter",
                "effectif",
                "employes",
                "salaries",
                "empleados",
                "numerodeempleados",
            ],
        ),
        (
            "annual_revenue",
            &["revenue", "turnover", "umsatz", "jahresumsatz", "chiffredaffaires", "facturacion", "ingresos"],
        ),
        ("annual_revenue_currency", &["currency", "wahrung", "devise", "moneda"]),
        (
            "founded_year",
            &["founded", "yearfounded", "gegrundet", "grundungsjahr", "anneedecreation", "anodefundacion"],
        ),
        ("parent_name", &["parent", "parentaccount", "parentcompany", "muttergesellschaft", "maisonmere", "matriz"]),
    ];
    const LOOKS: &'static [Looks] = &[
        ("domain", |text| parse_domain_name(text).is_ok()),
        ("website", |text| text.contains("://") && parse_domain_name(host(text)).is_ok()),
    ];

    fn complete(line: &mut Line<Account>) {
        if line.message.domain.is_empty() {
            let domain = host(line.extra("website")).to_owned();
            line.message.domain = domain;
        }
    }

    fn same(fields: &Fields) -> Vec<String> {
        let domain = Some(fields.domain()).filter(|domain| !domain.is_empty()).map(|domain| format!("d{domain}"));
        let name = Some(company_key(fields.name())).filter(|key| !key.is_empty()).map(|key| format!("n{key}"));
        domain.into_iter().chain(name).collect()
    }

    /// Parents are those that were there before: which rows came into a step together must not decide.
    async fn settle(&self, write: &mut Write, job: &Job, lines: &mut [Line<Account>]) -> Result<(), Error> {
        let named: Vec<Named> = lines
            .iter()
            .map(|line| Named::new(&line.message.parent_id, line.extra("parent_domain"), line.extra("parent_name")))
            .collect();
        if named.iter().all(Named::is_empty) {
            return Ok(());
        }
        if !job.is_dry {
            share_hierarchy(write).await?;
        }
        let found = find(write, &named).await?;
        let there = hold(&self.accounts, write, job, &found).await?;
        let depths = depths(write, there.iter().copied().collect()).await?;
        for ((line, named), found) in
            lines.iter_mut().zip(&named).zip(found).filter(|((_, named), _)| !named.is_empty())
        {
            match found.id().filter(|id| there.contains(id) && !job.made(*id)) {
                Some(id) => {
                    line.message.parent_id = id.to_string();
                    if depths.get(&id).is_some_and(|depth| *depth > i32::from(MAX_ANCESTORS)) {
                        line.add("parent_id", Flaw::new(PARENT_TOO_DEEP.reason, PARENT_TOO_DEEP.text));
                    }
                }
                // An id that is none is told by the field's own rule.
                None if found == Found::None && !named.id.is_empty() => {}
                None => note(line, "parent_id", found),
            }
        }
        Ok(())
    }

    async fn used(&self, write: &mut Write, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        used(write, ids).await
    }
}

async fn depths(write: &mut Write, ids: BTreeSet<Uuid>) -> Result<HashMap<Uuid, i32>, Error> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let query = sqlx::query(DEPTHS).bind(write.call.tenant).bind(ids).bind(i32::from(MAX_ANCESTORS));
    Ok(write.fetch_all::<(Uuid, i32)>("find_depths", query).await?.into_iter().collect())
}
