//! What becomes of values whose definition is deleted.

use crm_proto::customers as pb;

use super::{Attributed, all, delete, expected, faults, found, number, string, undelete, values};
use crate::support::{account, call};

#[tokio::test]
async fn values_of_a_deleted_definition_are_kept_and_come_back_with_it() {
    let it = Attributed::with_all().await;
    let created = it.account(all()).await;
    let definitions = super::pb::ListAttributeDefinitionsRequest::default();
    let definitions = call!(it.agent, definitions.list_attribute_definitions(definitions)).unwrap();
    let tier = definitions.attribute_definitions.iter().find(|it| it.key == "tier").unwrap();
    let deleted = delete(&it.admin, &tier.id).await.unwrap();
    assert_eq!((deleted.filterable, deleted.filter_ready), (Some(false), false), "its filter ends with it");

    let mut shown = all();
    shown.remove("tier");
    assert_eq!(it.agent.get_account(&created.id).await.unwrap().attributes, shown);
    let ids = vec![created.id.clone()];
    let batch = call!(it.agent, accounts.batch_get_accounts(pb::BatchGetAccountsRequest { ids })).unwrap();
    assert_eq!(batch.accounts[0].attributes, shown);
    let list = call!(it.agent, accounts.list_accounts(pb::ListAccountsRequest::default())).unwrap();
    assert_eq!(list.accounts[0].attributes, shown);
    let mut export = call!(it.agent, accounts.export_accounts(pb::ExportAccountsRequest::default())).unwrap();
    assert_eq!(export.message().await.unwrap().unwrap().attributes, shown);
    assert_eq!(faults(found(&it.agent, "attributes.tier = gold").await), expected(&[("filter", "FILTER_INVALID")]));

    // Who replaces all values that they see means no others, and nobody can write one.
    let with = |attributes| pb::Account { id: created.id.clone(), attributes, ..Default::default() };
    let changed = it.agent.update_account(with(values([("seats", number(1.0))])), &["attributes"]).await.unwrap();
    assert_eq!(changed.attributes, values([("seats", number(1.0))]));
    let refused = it.agent.update_account(with(values([("tier", string("lead"))])), &["attributes.tier"]).await;
    assert_eq!(faults(refused), expected(&[("account.attributes.tier", "UNKNOWN_FIELD")]));
    let refused = it.agent.create_account(pb::Account { attributes: all(), ..account("Acme") }).await;
    assert_eq!(faults(refused), expected(&[("account.attributes.tier", "UNKNOWN_FIELD")]));
    let gone = it.agent.delete_account(&created.id, "").await.unwrap();
    assert_eq!(gone.attributes, changed.attributes);
    assert_eq!(it.agent.undelete_account(&created.id).await.unwrap().attributes, changed.attributes);

    undelete(&it.admin, &tier.id).await.unwrap();
    let back = values([("seats", number(1.0)), ("tier", string("gold"))]);
    assert_eq!(it.agent.get_account(&created.id).await.unwrap().attributes, back);
}
