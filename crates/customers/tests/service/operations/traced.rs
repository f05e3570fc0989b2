//! What an operation leaves in the traces.

use crm_proto::customers as pb;
use crm_proto::operations as ops;
use crm_server::token::Role;
use crm_telemetry::testing::{attribute, record};
use opentelemetry::trace::SpanId;
use uuid::Uuid;

use super::number;
use crate::support::{account, call, eventually, world};

#[tokio::test]
async fn each_step_is_a_trace_that_links_to_whoever_asked() {
    let (recorder, _guard) = record();
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    manager.create_account(account("Secret Name")).await.unwrap();
    let request_id = Uuid::new_v4().to_string();
    let filter = "name = \"Secret Name\"".to_owned();
    let request = pb::ReassignAccountsRequest { filter, owner: "secret owner".to_owned(), request_id };
    let begun = call!(manager, accounts.reassign_accounts(request)).unwrap();
    call!(manager, operations.wait_operation(ops::WaitOperationRequest { id: begun.id.clone(), timeout: None }))
        .unwrap();

    // One finds out where it ends, one changes.
    eventually("two steps", async || recorder.spans_named("operation.step").len() == 2).await;
    let asked = recorder.spans().into_iter().find(|span| span.name.contains("ReassignAccounts")).unwrap();
    let steps = recorder.spans_named("operation.step");
    for step in &steps {
        assert_eq!(step.parent_span_id, SpanId::INVALID);
        assert_ne!(step.span_context.trace_id(), asked.span_context.trace_id());
        let linked: Vec<_> = step.links.iter().map(|link| link.span_context.span_id()).collect();
        assert_eq!(linked, [asked.span_context.span_id()]);
        assert_eq!(attribute(step, "crm.operation.kind").as_deref(), Some("ReassignAccounts"));
        assert_eq!(attribute(step, "crm.operation.id"), Some(begun.id.clone()));
    }
    let trace = steps[1].span_context.trace_id();
    let entry =
        format!("select count(*) from customers.journal where traceparent like '00-{trace}-%' and kind = 'updated'");
    assert_eq!(number(&world.database, &entry).await, 1);
    let told = format!("{:?}", recorder.spans());
    assert!(!told.contains("Secret Name") && !told.contains("secret owner"), "a value is in a span");
}
