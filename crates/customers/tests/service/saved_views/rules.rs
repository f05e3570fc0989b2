//! What a view may say: what its list takes, and no more; and what becomes of one that a list no longer takes.

use crm_proto::attributes::attribute_definition::Type;
use crm_proto::attributes::{AttributeDefinition, DeleteAttributeDefinitionRequest};
use crm_proto::customers::ListAccountsRequest;
use crm_proto::views::SavedView;
use crm_proto::views::saved_view::Visibility::{Private, Shared};
use crm_server::token::Role;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{batch_get, create, export, get, list, update, view};
use crate::attributes::{define, of, text};
use crate::support::{account, as_owner, call, eventually, refusal, refused, violations, world};

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn what_a_view_says_can_be_asked_of_its_list() {
    let world = world().await;
    for (name, owner) in [("Acme", "ada"), ("Globex", "eve"), ("Initech", "ada")] {
        world
            .agent
            .create_account(crm_proto::customers::Account { owner: owner.to_owned(), ..account(name) })
            .await
            .unwrap();
    }
    let SavedView { filter, order_by, columns, flaws, .. } =
        create(&world.agent, SavedView { columns: strings(["id", "name", "name"]), ..view(Shared, "Ada's") })
            .await
            .unwrap();
    assert_eq!((columns, flaws), (strings(["id", "name"]), Vec::new()));
    let found =
        call!(world.agent, accounts.list_accounts(ListAccountsRequest { filter, order_by, ..Default::default() }));
    let names: Vec<_> = found.unwrap().accounts.into_iter().map(|account| account.name).collect();
    assert_eq!(names, ["Initech", "Acme"]);
    for (resource, filter, order_by, columns) in [
        (
            "contacts",
            "email = \"ada@acme.example\" AND family_name = \"L*\"",
            "family_name",
            strings(["emails", "delete_time"]),
        ),
        ("activities", "kind = KIND_TASK AND done = false", "create_time desc", strings(["subject", "done_time"])),
        ("saved_views", "visibility = VISIBILITY_SHARED", "", strings(["owner", "columns"])),
        ("accounts", "", "", Vec::new()),
    ] {
        let (resource, filter, order_by) = (resource.to_owned(), filter.to_owned(), order_by.to_owned());
        let given = SavedView { resource, filter, order_by, columns, ..view(Private, "x") };
        let created = create(&world.agent, given.clone()).await.unwrap();
        assert_eq!((&created.filter, &created.columns), (&given.filter, &given.columns));
    }
}

#[tokio::test]
async fn what_its_list_does_not_take_is_refused_by_field_and_rule() {
    let world = world().await;
    let good = create(&world.agent, view(Private, "Mine")).await.unwrap();
    let worst = || SavedView {
        filter: "nme = \"x\"".to_owned(),
        order_by: "owner".to_owned(),
        columns: strings(["name", "emails", "etag", "", "Name"]),
        ..view(Private, "Worst")
    };
    let all = ["filter", "order_by", "columns[1]", "columns[2]", "columns[3]", "columns[4]"]
        .map(|field| format!("saved_view.{field}"));
    assert_eq!(violations(create(&world.agent, worst()).await), all);
    let changed = SavedView { id: good.id.clone(), ..worst() };
    assert_eq!(violations(update(&world.agent, changed, &["*"]).await), all);

    let with = |change: fn(&mut SavedView)| {
        let mut view = view(Private, "Mine");
        change(&mut view);
        view
    };
    // The reason is that of the list, which programs know already.
    for (filter, reason) in [("industry > \"x\"", "FILTER_INVALID"), ("owner", "FILTER_INVALID")] {
        let wrong = SavedView { filter: filter.to_owned(), ..view(Private, "Mine") };
        assert_eq!(refusal(create(&world.agent, wrong).await), refused(Code::InvalidArgument, reason));
    }
    for (wrong, field) in [
        (with(|view| view.resource.clear()), "resource"),
        (with(|view| view.resource = "leads".to_owned()), "resource"),
        (with(|view| view.name = " ".to_owned()), "name"),
        (with(|view| view.name = "x".repeat(101)), "name"),
        (with(|view| view.visibility = 0), "visibility"),
        (with(|view| view.visibility = 9), "visibility"),
        (with(|view| view.filter = format!("owner = \"{}\"", "x".repeat(4_096))), "filter"),
        (with(|view| view.order_by = "name, update_time".to_owned()), "order_by"),
        (with(|view| view.columns = vec!["name".to_owned(); 51]), "columns"),
    ] {
        let field = format!("saved_view.{field}");
        let found = violations(create(&world.agent, wrong.clone()).await);
        assert!(!found.is_empty() && found.iter().all(|found| *found == field), "{field}: {found:?}");
    }
    let moved = SavedView { id: good.id.clone(), resource: "contacts".to_owned(), ..view(Shared, "Mine") };
    let fixed = ["saved_view.resource", "saved_view.visibility"];
    assert_eq!(violations(update(&world.agent, moved, &["resource", "visibility"]).await), fixed);
}

#[tokio::test]
async fn a_view_that_its_list_no_longer_understands_says_so_and_can_still_be_used_for_what_is_left() {
    let world = world().await;
    let old = create(&world.agent, view(Shared, "Old")).await.unwrap();
    let elder = create(&world.agent, view(Shared, "Elder")).await.unwrap();
    as_owner(
        &world.database,
        &format!(
            "set crm.tenant = '{}'; update customers.saved_views set filter = 'gone = 1', order_by = 'gone', \
             columns = array['name', 'gone'], version = 2 where id = '{}'; \
             update customers.saved_views set resource = 'gone', version = 2 where id = '{}'",
            crate::support::tenant(),
            old.id,
            elder.id
        ),
    )
    .await;
    let flaws =
        |view: &SavedView| view.flaws.iter().map(|flaw| (flaw.field.clone(), flaw.reason.clone())).collect::<Vec<_>>();
    let named = |flaws: &[(&str, &str)]| -> Vec<(String, String)> {
        flaws.iter().map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned())).collect()
    };
    let expected =
        named(&[("filter", "FILTER_INVALID"), ("order_by", "ORDER_BY_INVALID"), ("columns[1]", "UNKNOWN_FIELD")]);
    for found in [
        get(&world.agent, &old.id).await.unwrap(),
        batch_get(&world.agent, &[&old.id]).await.unwrap().remove(0),
        list(&world.agent, "name = old").await.remove(0),
        export(&world.agent).await.into_iter().find(|view| view.id == old.id).unwrap(),
        update(&world.agent, SavedView { name: "Older".to_owned(), etag: String::new(), ..old.clone() }, &["name"])
            .await
            .unwrap(),
    ] {
        assert_eq!(flaws(&found), expected);
        assert!(found.flaws.iter().all(|flaw| !flaw.description.is_empty()));
    }
    let lost = get(&world.agent, &elder.id).await.unwrap();
    assert_eq!(flaws(&lost), named(&[("resource", "MALFORMED")]));
    let mended = SavedView { id: old.id.clone(), etag: String::new(), ..view(Shared, "New") };
    assert_eq!(update(&world.agent, mended, &["filter", "order_by", "columns"]).await.unwrap().flaws, []);
    assert_eq!(get(&world.agent, &old.id).await.unwrap().flaws, []);
}

#[tokio::test]
async fn what_a_filter_asks_of_attributes_is_held_against_their_definitions_as_by_the_list() {
    let world = world().await;
    let admin = world.service.caller("acme", Role::Admin);
    let seats = AttributeDefinition { filterable: Some(true), ..of("seats", Type::Number) };
    let seats = define(&admin, seats).await.unwrap();
    define(&admin, text("plain")).await.unwrap();
    let with = |filter: &str| SavedView { filter: filter.to_owned(), ..view(Private, filter) };
    let told = |status: tonic::Status| {
        let violation = status.get_error_details().bad_request().unwrap().field_violations[0].clone();
        (violation.reason, violation.description)
    };
    let good = create(&world.agent, with("owner = ada AND attributes.seats > 7")).await.unwrap();
    for filter in
        ["attributes.nobody = x", "attributes.plain = x", "attributes.seats = many", "owner = a AND attributes.x < 1"]
    {
        let list = ListAccountsRequest { filter: filter.to_owned(), ..Default::default() };
        let by_list = call!(world.agent, accounts.list_accounts(list)).unwrap_err();
        let created = create(&world.agent, with(filter)).await;
        assert_eq!(violations(created.clone()), ["saved_view.filter"], "{filter}");
        assert_eq!(told(created.unwrap_err()), told(by_list), "{filter}");
        let changed = update(&world.agent, SavedView { id: good.id.clone(), ..with(filter) }, &["filter"]).await;
        assert_eq!(violations(changed), ["saved_view.filter"], "{filter}");
    }
    let contacts = SavedView { resource: "contacts".to_owned(), columns: Vec::new(), ..with("attributes.seats > 7") };
    assert_eq!(violations(create(&world.agent, contacts).await), ["saved_view.filter"], "seats are of accounts");

    // What is no longer defined is told whenever the view is read, and hinders nobody who changes something else.
    let gone = DeleteAttributeDefinitionRequest { id: seats.id, etag: String::new() };
    call!(admin, definitions.delete_attribute_definition(gone)).unwrap();
    eventually("the deletion is known", async || {
        get(&world.agent, &good.id).await.unwrap().flaws.iter().any(|flaw| flaw.field == "filter")
    })
    .await;
    let renamed = SavedView { id: good.id.clone(), name: "Other".to_owned(), ..Default::default() };
    for found in [
        update(&world.agent, renamed, &["name"]).await.unwrap(),
        batch_get(&world.agent, &[&good.id]).await.unwrap().remove(0),
        list(&world.agent, "name = other").await.remove(0),
        export(&world.agent).await.remove(0),
    ] {
        let flaws: Vec<_> = found.flaws.iter().map(|flaw| (flaw.field.as_str(), flaw.reason.as_str())).collect();
        assert_eq!(flaws, [("filter", "FILTER_INVALID")]);
    }
}
