use crm_proto::tags as pb;
use tonic::Code;

use super::{create, delete, get, list, named, number, tag, undelete, update};
use crate::support::{as_owner, call, refusal, refused, tenant, violations, world};

#[tokio::test]
async fn a_tag_is_answered_as_it_was_given_and_renamed_for_all() {
    let world = world().await;
    let given = pb::Tag { colour: "#1F6Feb".to_owned(), description: "Visited".to_owned(), ..named(" Key  account ") };
    let created = create(&world.agent, given).await.unwrap();
    assert_eq!((created.colour.as_str(), created.description.as_str()), ("#1f6feb", "Visited"));
    assert_eq!(get(&world.agent, &created.id).await.unwrap(), created);
    let forged = pb::Tag { merged_into: created.id.clone(), ..created.clone() };
    assert_eq!(update(&world.agent, forged, &["*"]).await.unwrap(), created, "nobody sets what it was merged into");
    let renamed = pb::Tag { id: created.id.clone(), ..named("Strategic") };
    let renamed = update(&world.agent, renamed, &["name", "colour"]).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.colour.as_str()), ("Strategic", ""));
    assert_eq!(list(&world.agent, "name = \"STRAT*\"", false).await, ["Strategic"]);
    for colour in ["red", "#12345", "#1234567", "#12345g", "1f6feb0", "#é1234"] {
        let flawed = pb::Tag { colour: colour.to_owned(), ..named("Flawed") };
        assert_eq!(violations(create(&world.agent, flawed).await), ["tag.colour"], "{colour}");
    }
    let worst = pb::Tag { colour: "?".to_owned(), description: "x".repeat(501), ..named(" ") };
    assert_eq!(violations(create(&world.agent, worst).await), ["tag.name", "tag.colour", "tag.description"]);
    let history = pb::GetTagHistoryRequest { id: created.id, ..Default::default() };
    assert_eq!(call!(world.agent, tags.get_tag_history(history)).unwrap().changes.len(), 2);
}

#[tokio::test]
async fn a_name_belongs_to_one_tag_in_any_case_until_that_is_deleted() {
    let world = world().await;
    let taken = refused(Code::AlreadyExists, "TAG_NAME_TAKEN");
    let first = tag(&world.agent, "Straße").await;
    for same in ["Straße", "STRASSE", " strasse "] {
        assert_eq!(refusal(create(&world.agent, named(same)).await), taken, "{same}");
    }
    let other = tag(&world.agent, "Other").await;
    assert_eq!(refusal(update(&world.agent, pb::Tag { id: other, ..named("strasse") }, &["name"]).await), taken);
    // Nobody else's.
    let stranger = world.service.caller("globex", crm_server::token::Role::Agent);
    tag(&stranger, "Straße").await;
    delete(&world.agent, &first).await.unwrap();
    assert_eq!(refusal(get(&world.agent, &first).await), refused(Code::NotFound, "TAG_NOT_FOUND"));
    tag(&world.agent, "strasse").await;
    assert_eq!(refusal(undelete(&world.agent, &first).await), taken);
    assert_eq!(list(&world.agent, "", false).await, ["Other", "strasse"]);
    assert_eq!(list(&world.agent, "", true).await.len(), 3);
}

#[tokio::test]
async fn a_tenant_has_up_to_500() {
    let world = world().await;
    let gone = tag(&world.agent, "Gone").await;
    delete(&world.agent, &gone).await.unwrap();
    let fill = format!(
        "insert into customers.tags (tenant_id, id, name, name_key) select '{}', gen_random_uuid(), 'T' || n, 't' || n \
         from generate_series(1, 498) n",
        tenant()
    );
    as_owner(&world.database, &fill).await;
    // Of several at once, no more than there is room for.
    let full = refused(Code::FailedPrecondition, "TOO_MANY_TAGS");
    let names = ["A", "B", "C", "D"].map(named);
    let answers = futures_util::future::join_all(names.map(|tag| create(&world.agent, tag))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (2, 2));
    assert!(refused.into_iter().all(|answer| refusal(answer) == full));
    assert_eq!(refusal(undelete(&world.agent, &gone).await), full);
    assert_eq!(number(&world.database, "select count(*) from customers.tags where delete_time is null").await, 500);
    delete(&world.agent, &made[0].as_ref().unwrap().id).await.unwrap();
    undelete(&world.agent, &gone).await.unwrap();
}
