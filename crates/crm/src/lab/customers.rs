//! `crm lab customers`: what many customers cost those who look for them, with a table, verdicts, and a page to look at.

use crm_lab::customers::{self, Outcome, Plan};
use crm_lab::report::print_verdicts;

use super::{failure, programs, until_stopped, write, write_json};
use crate::cli::Customers;
use crate::failure::Failure;

pub(crate) async fn run(options: Customers) -> Result<(), Failure> {
    let plan = plan(&options);
    eprintln!("customers: {} contacts, and a tenth of them beside", plan.contacts);
    let experiment = customers::run(&plan, programs()?, crm_lab::seed::fresh(), |part| print!("{}", part.rows()));
    let outcome = until_stopped(experiment).await?.map_err(failure)?;
    print!("\n{}", print_verdicts(&outcome.report.verdicts));
    write_files(&options, &plan, &outcome)?;
    if outcome.report.held() { Ok(()) } else { Err(Failure::Check("a claim does not hold".to_owned())) }
}

fn plan(options: &Customers) -> Plan {
    let plan = if options.quick { Plan::QUICK } else { Plan::WHOLE };
    let (contacts, seconds) = (options.contacts.unwrap_or(plan.contacts), options.seconds.unwrap_or(plan.seconds));
    // Of a few, there is not much to compare.
    let (pairs, rows) = (plan.pairs.min(contacts / 100), plan.rows.min(contacts / 10));
    Plan { contacts, seconds, pairs, rows, children: plan.children.min(contacts / 50), ..plan }
}

fn write_files(options: &Customers, plan: &Plan, outcome: &Outcome) -> Result<(), Failure> {
    write_json(options.json.as_deref(), &outcome.report)?;
    if let Some(path) = &options.html {
        write(path, outcome.html(plan).map_err(anyhow::Error::from)?.into_bytes())?;
        eprintln!("{}", path.display());
    }
    Ok(())
}
