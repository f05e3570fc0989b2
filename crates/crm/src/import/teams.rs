//! `sales_teams.csv`: agents, the manager of each and the office. A team is whom one manager leads in one office.

use std::collections::HashSet;
use std::path::Path;

use crm_values::{name_key, text_key};

use super::report::Report;
use super::table::{Cells, Layout};
use crate::failure::Failure;

pub(super) const FILE: &str = "sales_teams.csv";
const LAYOUT: Layout<3> = Layout { file: FILE, columns: ["sales_agent", "manager", "regional_office"], optional: 0 };

/// A team as the file has it; users are named as it names them, for nobody has an address or an id in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TeamRows {
    pub(super) manager: String,
    pub(super) office: String,
    /// Each with the line that names it, in the order of the file.
    pub(super) agents: Vec<(u64, String)>,
}

impl TeamRows {
    pub(super) fn name(&self) -> String {
        format!("{}: {}", self.office, self.manager)
    }

    /// What tells the team, whatever it is called.
    pub(super) fn key(&self) -> TeamKey {
        team_key(&self.manager, &self.office)
    }

    pub(super) fn members(&self) -> Vec<String> {
        self.agents.iter().map(|(_, agent)| agent.clone()).collect()
    }
}

/// Manager and office, as they are compared.
pub(super) type TeamKey = (String, String);

pub(super) fn team_key(manager: &str, office: &str) -> TeamKey {
    (text_key(manager), name_key(office))
}

/// Reads the file, if it is there.
pub(super) fn read(folder: &Path, report: &mut Report) -> Result<Option<Vec<TeamRows>>, Failure> {
    Ok(LAYOUT.read(folder, report)?.map(|cells| teams(cells, report)))
}

fn teams(cells: Vec<Cells<3>>, report: &mut Report) -> Vec<TeamRows> {
    let mut seen = HashSet::new();
    let mut teams: Vec<TeamRows> = Vec::new();
    for (line, [agent, manager, office]) in cells {
        let missing = [("sales_agent", &agent), ("manager", &manager), ("regional_office", &office)];
        if let Some((field, _)) = missing.into_iter().find(|(_, value)| value.is_empty()) {
            report.refuse(FILE, line, field, "is required");
            continue;
        }
        if !seen.insert(text_key(&agent)) {
            report.refuse(FILE, line, "sales_agent", "an earlier row has the same agent");
            continue;
        }
        let key = team_key(&manager, &office);
        match teams.iter_mut().find(|team| team.key() == key) {
            Some(team) => team.agents.push((line, agent)),
            None => teams.push(TeamRows { manager, office, agents: vec![(line, agent)] }),
        }
    }
    teams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_is_whom_one_manager_leads_in_one_office() {
        let mut report = Report::default();
        let text = "sales_agent,manager,regional_office\nAda,Grace,East\nAlan,Kurt,East\nAlonzo,Grace,east\n\
            Ada,Kurt,East\nEmmy,Grace,West\nEve,,West\n";
        let teams = teams(LAYOUT.rows(text.as_bytes(), &mut report).unwrap(), &mut report);
        let teams: Vec<_> = teams.iter().map(|team| (team.name(), team.agents.clone())).collect();
        let agent = |line, name: &str| (line, name.to_owned());
        let expected = [
            ("East: Grace".to_owned(), vec![agent(2, "Ada"), agent(4, "Alonzo")]),
            ("East: Kurt".to_owned(), vec![agent(3, "Alan")]),
            ("West: Grace".to_owned(), vec![agent(6, "Emmy")]),
        ];
        assert_eq!(teams, expected);
        let refused: Vec<_> = report.refused.iter().map(|it| (it.row, it.field)).collect();
        assert_eq!(refused, [(5, "sales_agent"), (7, "manager")]);
    }
}
