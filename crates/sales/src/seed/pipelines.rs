//! Two ways to sell.

use crm_resource::seed::{BEGIN_MS, Random, Table};
use crm_values::name_key;
use uuid::Uuid;

use crate::pipelines::{Stage, StageKind, Stages};

const PIPELINE: u64 = 0x0051_9e11;
const STAGE: u64 = 0x0057_a9e5;
const MOST_STAGES: u32 = 16;

/// A pipeline: its open stages, how likely their opportunities are won, in a hundred, and how many days they stand there at
/// most; then what becomes of them.
struct Plan {
    name: &'static str,
    open: &'static [(&'static str, i32, u64)],
    won: &'static str,
    lost: &'static str,
}

const ALL: [Plan; 2] = [
    Plan {
        name: "New business",
        open: &[("Qualify", 10, 60), ("Meet", 25, 75), ("Propose", 50, 60), ("Negotiate", 75, 90)],
        won: "Won",
        lost: "Lost",
    },
    Plan { name: "Renewals", open: &[("Due", 60, 90), ("Quoted", 80, 60)], won: "Renewed", lost: "Lapsed" },
];

/// A pipeline, as opportunities walk through it.
pub(super) struct Way {
    pub(super) id: Uuid,
    /// With the days that an opportunity stands in each at most.
    pub(super) open: Vec<(Stage, u64)>,
    pub(super) won: Stage,
    pub(super) lost: Stage,
}

impl Way {
    /// New business, or renewals.
    pub(super) fn of(number: u32) -> Self {
        let plan = &ALL[number as usize % ALL.len()];
        let stage = |nth, name: &str, kind, probability| {
            let id = Random::new(STAGE, number * MOST_STAGES + nth).id(BEGIN_MS);
            Stage { id, name: name.to_owned(), kind, probability, merging_into: None }
        };
        let open =
            (2..).zip(plan.open).map(|(nth, (name, likely, days))| (stage(nth, name, StageKind::Open, *likely), *days));
        Self {
            id: Random::new(PIPELINE, number).id(BEGIN_MS),
            open: open.collect(),
            won: stage(0, plan.won, StageKind::Won, 100),
            lost: stage(1, plan.lost, StageKind::Lost, 0),
        }
    }
}

/// Lines of `copy`.
pub(super) fn rows() -> impl Iterator<Item = String> {
    (0..).zip(ALL).map(|(number, Plan { name, .. })| {
        let Way { id, open, won, lost } = Way::of(number);
        let all = open.into_iter().map(|(stage, _)| stage).chain([won, lost]).collect();
        format!("{id}\t{name}\t{}\t{}\n", name_key(name), Stages { all, merged: Vec::new() }.written())
    })
}

pub(super) static TABLE: Table = Table {
    schema: "sales",
    names: &["pipelines"],
    find: "select id from sales.pipelines where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as select id, name, name_key, stages from sales.pipelines with no data",
    insert: "with created as (insert into sales.pipelines (tenant_id, id, name, name_key, stages) \
             select $1, id, name, name_key, stages from seed on conflict do nothing returning id) \
             select array[(select count(*) from created)]",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_change() {
        // The load scenario `sales-team` names it.
        assert_eq!(Way::of(0).id.to_string(), "018cc251-f400-7dd7-a235-89dc93e03a9d");
    }

    #[test]
    fn both_pipelines_pass_the_rules_of_those_that_are_created() {
        for number in 0..2 {
            let Way { open, won, lost, .. } = Way::of(number);
            let mut found = crm_resource::Violations::default();
            let all = open.into_iter().map(|(stage, _)| stage).chain([won, lost]).collect();
            Stages { all, merged: Vec::new() }.check(None, &mut found);
            assert!(found.finish(()).is_ok());
        }
    }
}
