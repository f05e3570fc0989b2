//! Sales teams, told by manager and office.

use std::collections::{HashMap, HashSet};

use crm_proto::sales as pb;
use crm_proto::sales::sales_team_service_client::SalesTeamServiceClient;
use crm_values::text_key;
use prost_types::FieldMask;
use tonic::Status;

use super::{all, id_of, is_refusal, patiently};
use crate::api::{Api, Channel};
use crate::failure::Failure;
use crate::import::names::Names;
use crate::import::report::{Outcome, Report};
use crate::import::teams::{FILE, TeamKey, TeamRows, team_key};

/// The teams of the tenant.
pub(crate) struct Teams<'a> {
    api: &'a Api,
    client: SalesTeamServiceClient<Channel>,
    /// Deleted ones too.
    there: HashMap<TeamKey, pb::SalesTeam>,
}

impl<'a> Teams<'a> {
    pub(crate) async fn of(api: &'a Api) -> Result<Self, Failure> {
        let mut client = SalesTeamServiceClient::new(api.channel());
        let request = pb::ExportSalesTeamsRequest { show_deleted: true, ..Default::default() };
        let stream = patiently(async || client.export_sales_teams(request.clone()).await).await;
        let mut there = HashMap::new();
        for team in all(api, stream).await? {
            let key = team_key(&team.manager, &team.office);
            if team.delete_time.is_none() || !there.contains_key(&key) {
                there.insert(key, team);
            }
        }
        Ok(Self { api, client, there })
    }

    pub(crate) async fn keep(&mut self, teams: &[TeamRows], report: &mut Report) -> Result<(), Failure> {
        let listed: HashSet<String> = teams.iter().flat_map(|team| &team.agents).map(|(_, it)| text_key(it)).collect();
        let before: HashSet<String> = self.members().map(|member| text_key(&member)).collect();
        for team in teams {
            match self.keep_team(team, &listed).await {
                Ok(come) => count(team, &come, &before, report),
                Err(status) if is_refusal(&status) => {
                    let lines = team.agents.iter().map(|(line, _)| *line);
                    lines.for_each(|line| report.refuse(FILE, line, "manager", status.message()));
                }
                Err(status) => return Err(self.api.failure(&status)),
            }
        }
        Ok(())
    }

    /// Who is in the team now and was not before. Who has another team in the file leaves this one; whom the file does not name
    /// stays.
    async fn keep_team(&mut self, team: &TeamRows, listed: &HashSet<String>) -> Result<HashSet<String>, Status> {
        let key = team.key();
        let Some(current) = self.there.get(&key) else { return self.create(team).await };
        let stays = |member: &&String| !listed.contains(&text_key(member));
        let known: HashSet<String> = current.members.iter().map(|member| text_key(member)).collect();
        let own: HashSet<String> = team.members().iter().map(|agent| text_key(agent)).collect();
        let come: HashSet<String> = own.difference(&known).cloned().collect();
        let gone = known.iter().any(|member| listed.contains(member) && !own.contains(member));
        if current.delete_time.is_some() || come.is_empty() && !gone {
            return Ok(HashSet::new());
        }
        let members = team.members().into_iter().chain(current.members.iter().filter(stays).cloned()).collect();
        let sales_team = Some(pb::SalesTeam { id: current.id.clone(), members, ..Default::default() });
        let update_mask = Some(FieldMask { paths: vec!["members".into()] });
        let request = pb::UpdateSalesTeamRequest { sales_team, update_mask };
        let answer = patiently(async || self.client.update_sales_team(request.clone()).await).await?;
        self.there.insert(key, answer);
        Ok(come)
    }

    async fn create(&mut self, team: &TeamRows) -> Result<HashSet<String>, Status> {
        let sales_team = pb::SalesTeam {
            name: team.name(),
            members: team.members(),
            manager: team.manager.clone(),
            office: team.office.clone(),
            ..Default::default()
        };
        let (manager, office) = team.key();
        let request_id = id_of("teams", &format!("{office}/{manager}"));
        let request = pb::CreateSalesTeamRequest { sales_team: Some(sales_team), request_id };
        let answer = patiently(async || self.client.create_sales_team(request.clone()).await).await?;
        self.there.insert(team.key(), answer);
        Ok(team.members().iter().map(|agent| text_key(agent)).collect())
    }

    fn members(&self) -> impl Iterator<Item = String> {
        self.there.values().flat_map(|team| team.members.clone())
    }

    /// Agents as teams name them.
    pub(crate) fn agents(&self) -> Names<String> {
        Names::of(self.members().map(|member| (member.clone(), member)))
    }
}

/// A row is one agent: new, or in another team than before, or where it was.
fn count(team: &TeamRows, come: &HashSet<String>, before: &HashSet<String>, report: &mut Report) {
    for (_, agent) in &team.agents {
        let key = text_key(agent);
        let outcome = match (come.contains(&key), before.contains(&key)) {
            (false, _) => Outcome::Unchanged,
            (true, true) => Outcome::Changed,
            (true, false) => Outcome::Created,
        };
        report.count(outcome);
    }
}
