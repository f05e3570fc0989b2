//! What each kind has to have, and cannot have.

use crm_proto::activities::Activity;
use crm_proto::activities::activity::Kind;
use tonic_types::StatusExt;

use super::{at, get, of, parents, task, update};
use crate::support::{Caller, world};

/// The fields at fault with their reasons.
async fn faults(caller: &Caller, activity: Activity) -> Vec<(String, String)> {
    let status = caller.create_activity(activity).await.unwrap_err();
    let details = status.get_error_details();
    let faults = details.bad_request().unwrap().field_violations.clone();
    faults.into_iter().map(|fault| (fault.field, fault.reason)).collect()
}

#[tokio::test]
async fn what_a_kind_lacks_or_cannot_have_is_told_by_field_and_rule() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    let check = async |activity: Activity, expected: &[(&str, &str)]| {
        let expected: Vec<_> =
            expected.iter().map(|(field, why)| (format!("activity.{field}"), (*why).to_owned())).collect();
        assert_eq!(faults(&world.agent, activity.clone()).await, expected, "{activity:?}");
    };
    let (required, apart) = ("FIELD_REQUIRED", "CONTRADICTION");
    let note = of(Kind::Note, "contacts", &contact);
    check(Activity { body: " \n ".to_owned(), ..note.clone() }, &[("body", required)]).await;
    check(Activity { due_time: at(1), ..note.clone() }, &[("due_time", apart)]).await;
    check(Activity { done: Some(false), ..note.clone() }, &[("done", apart)]).await;
    check(
        Activity { start_time: at(1), duration_seconds: Some(0), ..note.clone() },
        &[("start_time", apart), ("duration_seconds", apart)],
    )
    .await;
    for kind in [Kind::Call, Kind::Meeting] {
        let it = of(kind, "accounts", &account);
        check(Activity { subject: String::new(), body: " ".to_owned(), ..it.clone() }, &[("subject", required)]).await;
        check(Activity { due_time: at(1), done: Some(true), ..it }, &[("due_time", apart), ("done", apart)]).await;
    }
    check(Activity { body: String::new(), ..task(&account, "\u{200b}") }, &[("subject", required)]).await;
    check(Activity { kind: 0, ..note.clone() }, &[("kind", required)]).await;
    check(Activity { kind: 9, due_time: at(1), ..note.clone() }, &[("kind", "MALFORMED")]).await;
    for (resource, why) in
        [("", required), ("account", "MALFORMED"), ("tickets", "MALFORMED"), ("Accounts", "MALFORMED")]
    {
        check(Activity { parent_resource: resource.to_owned(), ..note.clone() }, &[("parent_resource", why)]).await;
    }
    check(Activity { parent_id: "7".to_owned(), ..note.clone() }, &[("parent_id", "MALFORMED")]).await;
    let task = task(&account, "To do");
    for (time, nanos) in [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
        let time = prost_types::Timestamp { seconds: time, nanos };
        check(Activity { due_time: Some(time), ..task.clone() }, &[("due_time", "OUT_OF_RANGE")]).await;
    }
    for seconds in [-1, 604_801] {
        check(Activity { duration_seconds: Some(seconds), ..task.clone() }, &[("duration_seconds", "OUT_OF_RANGE")])
            .await;
    }
    check(Activity { body: "a\0".to_owned(), ..note.clone() }, &[("body", "FORBIDDEN_CHARACTER")]).await;
}

#[tokio::test]
async fn what_it_is_and_what_it_is_about_stay() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    let created = world.agent.create_activity(of(Kind::Call, "contacts", &contact)).await.unwrap();
    for (changed, field) in [
        (Activity { kind: Kind::Meeting.into(), ..created.clone() }, "kind"),
        (Activity { parent_resource: "accounts".to_owned(), ..created.clone() }, "parent_resource"),
        (Activity { parent_id: account.clone(), ..created.clone() }, "parent_id"),
    ] {
        let faults = crate::support::violations(update(&world.agent, changed, &[field]).await);
        assert_eq!(faults, [format!("activity.{field}")]);
    }
    // A call that was logged stays one that has no due date, whichever way it is said.
    let faults = crate::support::violations(
        update(&world.agent, Activity { due_time: at(1), ..created.clone() }, &["due_time"]).await,
    );
    assert_eq!(faults, ["activity.due_time"]);
    let emptied = Activity { subject: String::new(), body: String::new(), ..created.clone() };
    let emptied = update(&world.agent, emptied, &["subject", "body"]).await;
    assert_eq!(crate::support::violations(emptied), ["activity.subject"]);
    assert_eq!(get(&world.agent, &created.id).await.unwrap(), created);
}
