//! What is particular about sales teams.

use crm_proto::sales as pb;
use crm_proto::sales::sales_team_service_client::SalesTeamServiceClient;
use crm_resource::testkit::{self, Caller, Http, Process, field_mask, refusal, refused, violations};
use crm_sales::SERVICE;
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::Role;
use tonic::{Code, Status};
use uuid::Uuid;

struct Teams {
    teams: SalesTeamServiceClient<Http>,
    manager: Caller,
    _process: Process,
    _database: TestDatabase,
}

impl Teams {
    async fn start() -> Self {
        let database = testkit::database(&SERVICE).await;
        let url = database.url_as(testkit::storage(&SERVICE).role, "");
        let process = Process::start(&SERVICE, &url, &testing::redis().await.unwrap()).await;
        let manager = process.caller("acme", Role::Manager);
        let teams = SalesTeamServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
        Self { teams, manager, _process: process, _database: database }
    }

    async fn create(&self, team: pb::SalesTeam) -> Result<pb::SalesTeam, Status> {
        let request_id = Uuid::new_v4().to_string();
        let request = self.manager.request(pb::CreateSalesTeamRequest { sales_team: Some(team), request_id });
        Ok(self.teams.clone().create_sales_team(request).await?.into_inner())
    }

    async fn update(&self, team: pb::SalesTeam, mask: &[&str]) -> Result<pb::SalesTeam, Status> {
        let request = pb::UpdateSalesTeamRequest { sales_team: Some(team), update_mask: field_mask(mask) };
        Ok(self.teams.clone().update_sales_team(self.manager.request(request)).await?.into_inner())
    }

    async fn list(&self, filter: &str) -> Vec<String> {
        let request = pb::ListSalesTeamsRequest { filter: filter.to_owned(), ..Default::default() };
        let answer = self.teams.clone().list_sales_teams(self.manager.request(request)).await.unwrap();
        answer.into_inner().sales_teams.into_iter().map(|team| team.name).collect()
    }
}

fn team(name: &str, members: &[&str]) -> pb::SalesTeam {
    let members = members.iter().map(|member| (*member).to_owned()).collect();
    pb::SalesTeam { name: name.to_owned(), members, ..Default::default() }
}

#[tokio::test]
async fn a_name_belongs_to_one_team_in_any_case_until_that_is_deleted() {
    let own = Teams::start().await;
    let taken = refused(Code::AlreadyExists, "SALES_TEAM_NAME_TAKEN");
    let first = own.create(team("Central", &[])).await.unwrap();
    assert_eq!(refusal(own.create(team(" CENTRAL ", &[])).await), taken);
    let other = own.create(team("East", &[])).await.unwrap();
    assert_eq!(refusal(own.update(pb::SalesTeam { id: other.id, ..team("central", &[]) }, &["name"]).await), taken);
    let delete = pb::DeleteSalesTeamRequest { id: first.id.clone(), etag: String::new() };
    own.teams.clone().delete_sales_team(own.manager.request(delete)).await.unwrap();
    own.create(team("central", &[])).await.unwrap();
    let undelete = pb::UndeleteSalesTeamRequest { id: first.id, etag: String::new() };
    assert_eq!(refusal(own.teams.clone().undelete_sales_team(own.manager.request(undelete)).await), taken);
}

#[tokio::test]
async fn teams_are_found_by_each_member_that_they_have_now() {
    let own = Teams::start().await;
    let central = own.create(team("Central", &["ada", "bob", "ada"])).await.unwrap();
    assert_eq!(central.members, ["ada", "bob"], "none twice");
    own.create(pb::SalesTeam { manager: "grace".to_owned(), ..team("East", &["ada"]) }).await.unwrap();
    assert_eq!(own.list("member = \"ada\"").await, ["Central", "East"]);
    assert_eq!(own.list("member = \"ada\" AND manager = \"grace\"").await, ["East"]);
    let changed =
        own.update(pb::SalesTeam { id: central.id, ..team("", &["bob", "cem"]) }, &["members"]).await.unwrap();
    assert_eq!(changed.members, ["bob", "cem"]);
    assert_eq!(own.list("member = \"ada\"").await, ["East"]);
    assert_eq!(own.list("member = \"cem\"").await, ["Central"]);
}

#[tokio::test]
async fn a_team_has_a_hundred_members_at_most_and_none_without_a_name() {
    let own = Teams::start().await;
    let many = |count: usize| (0..count).map(|number| format!("user{number}")).collect::<Vec<_>>();
    let of = |members| pb::SalesTeam { members, ..team("Large", &[]) };
    assert_eq!(own.create(of(many(100))).await.unwrap().members.len(), 100);
    let answer = own.create(pb::SalesTeam { name: "Larger".to_owned(), ..of(many(101)) }).await;
    assert_eq!(violations(answer), ["sales_team.members"]);
    let worst = pb::SalesTeam { office: "x".repeat(61), ..team("", &["ada", " ", &"x".repeat(101)]) };
    let all = ["sales_team.name", "sales_team.members[1]", "sales_team.members[2]", "sales_team.office"];
    assert_eq!(violations(own.create(worst).await), all);
}
