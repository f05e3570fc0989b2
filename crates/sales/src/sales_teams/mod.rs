//! Sales teams: who sells together.

mod calls;

use crm_proto::sales as pb;
use crm_resource::{Exchange, Filter, Kind, Order, Refusal, Resource, Row};
use crm_values::{TextRule, name_key, required, text_key, within};
use sqlx::FromRow;

/// The resource.
#[derive(Debug, Clone)]
pub struct SalesTeam;

/// What callers may set; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    /// Unique among the tenant's teams that are not deleted, in any case.
    name: String,
    /// Users, none twice.
    members: Vec<String>,
    manager: String,
    office: String,
}

/// Enough for any that one person leads, and few enough to be shown whole.
const MOST_MEMBERS: usize = 100;
const MEMBER: TextRule = required(100);

/// There is no such team.
pub const NOT_FOUND: Refusal = Refusal::not_found("SALES_TEAM_NOT_FOUND", "there is no such sales team");
/// The team to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("SALES_TEAM_NOT_DELETED", "the sales team is not deleted");
/// A name belongs to one team.
pub const NAME_TAKEN: Refusal = Refusal::already_exists("SALES_TEAM_NAME_TAKEN", "another sales team has this name");

impl Resource for SalesTeam {
    type Message = pb::SalesTeam;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::name("name", "name_key"),
            Filter::beside(
                "member",
                "id in (select team_id from sales.sales_team_members where tenant_id = $1 and member_key = {})",
                text_key,
            ),
            Filter::text("manager", "manager_key", text_key),
            Filter::text("office", "office_key", name_key),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("name", "name_key"), Order::time("update_time")],
        constraints: &[("sales_teams_name_key", &NAME_TAKEN)],
        // As addresses of contacts: parts of one statement do not see each other's rows, so none is both removed and added.
        insert_with: "with members as (insert into sales.sales_team_members (tenant_id, member_key, team_id) \
                      select $1, unnest({member_keys}::text[]), $2)",
        update_with: "with removed as (delete from sales.sales_team_members \
                      where tenant_id = $1 and team_id = $2 and member_key <> all({member_keys}::text[])), \
                      added as (insert into sales.sales_team_members (tenant_id, member_key, team_id) \
                      select $1, unnest({member_keys}::text[]), $2 on conflict do nothing)",
        // Few, and read by everybody.
        cache_bytes: 1 << 20,
        ..Kind::new("sales_teams", "sales.sales_teams", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::SalesTeam, fields: &mut Exchange<'_>) {
        fields.text("name", &mut it.name, &mut message.name, required(200));
        fields.texts_up_to(MOST_MEMBERS, "members", &mut it.members, &mut message.members, |it| MEMBER.parse(it));
        fields.text("manager", &mut it.manager, &mut message.manager, within(100));
        fields.text("office", &mut it.office, &mut message.office, within(60));
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("name", &it.name);
        row.key("name_key", name_key(&it.name));
        row.set("members", &it.members);
        row.parameter("member_keys", &member_keys(&it.members));
        row.set("manager", &it.manager);
        row.key("manager_key", text_key(&it.manager));
        row.set("office", &it.office);
        row.key("office_key", name_key(&it.office));
    }
}

/// Members as they are searched, none twice.
fn member_keys(members: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = members.iter().map(|member| text_key(member)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
