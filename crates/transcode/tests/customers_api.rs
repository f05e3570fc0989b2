//! Every annotated RPC of the project's own API, there and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use crm_proto::customers as pb;
use crm_transcode::{Idempotency, Transcoder};
use http::{HeaderMap, Method};
use prost::Message;
use prost_reflect::prost_types::{self, value::Kind};
use serde_json::{Value, json};

fn transcoder() -> Transcoder {
    Transcoder::new(crm_proto::DESCRIPTORS).unwrap()
}

/// Method, URI, body → RPC and what its request message must be, in JSON.
fn requests() -> Vec<(Method, &'static str, Value, &'static str, Value)> {
    let account =
        json!({"name": "Acme", "annualRevenue": {"currencyCode": "EUR", "units": "9007199254740993"}, "employees": 0});
    let contact = json!({"accountId": "7", "emails": ["ada@acme.example"], "givenName": "Ada"});
    let task = json!({
        "kind": "KIND_TASK", "parentResource": "accounts", "parentId": "7", "done": false,
        "dueTime": "2026-01-31T09:30:00Z",
    });
    let view = json!({"resource": "accounts", "name": "Mine", "columns": ["name"], "visibility": "VISIBILITY_PRIVATE"});
    let definition = json!({
        "resource": "accounts", "key": "tier", "type": "TYPE_CHOICE", "displayName": "Tier", "required": false,
        "choices": [{"value": "gold", "displayName": "Gold", "archived": false}],
    });
    let export = || json!({"filter": "owner = \"ada\"", "showDeleted": true});
    vec![
        (
            Method::POST,
            "/v1/accounts?requestId=r&refuseDuplicates=true",
            account.clone(),
            "AccountService/CreateAccount",
            json!({"requestId": "r", "account": account, "refuseDuplicates": true}),
        ),
        (Method::GET, "/v1/accounts/7", Value::Null, "AccountService/GetAccount", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/accounts:batchGet?ids=7&ids=8",
            Value::Null,
            "AccountService/BatchGetAccounts",
            json!({"ids": ["7", "8"]}),
        ),
        (
            Method::GET,
            "/v1/accounts?pageSize=2&order_by=name",
            Value::Null,
            "AccountService/ListAccounts",
            json!({"pageSize": 2, "orderBy": "name"}),
        ),
        (
            Method::PATCH,
            "/v1/accounts/7",
            json!({
                "id": "7", "owner": "ada", "annual_revenue": {"units": 5}, "etag": "e",
                "attributes": {"tier": "gold", "seats": 5, "since": null},
                "createTime": "2026-01-31T09:30:00Z",
            }),
            "AccountService/UpdateAccount",
            json!({
                "account": {
                    "id": "7", "owner": "ada", "etag": "e", "annualRevenue": {"units": "5"},
                    "attributes": {"tier": "gold", "seats": 5, "since": null},
                },
                "updateMask": "annualRevenue,attributes.seats,attributes.since,attributes.tier,owner",
            }),
        ),
        (
            Method::DELETE,
            "/v1/accounts/7?etag=e",
            Value::Null,
            "AccountService/DeleteAccount",
            json!({"id": "7", "etag": "e"}),
        ),
        (
            Method::POST,
            "/v1/accounts/7:undelete",
            json!({"etag": "e"}),
            "AccountService/UndeleteAccount",
            json!({"id": "7", "etag": "e"}),
        ),
        (
            Method::GET,
            "/v1/accounts:export?filter=owner%20%3D%20%22ada%22&showDeleted=true",
            Value::Null,
            "AccountService/ExportAccounts",
            export(),
        ),
        (
            Method::GET,
            "/v1/accounts/7:history?pageSize=2&pageToken=t",
            Value::Null,
            "AccountService/GetAccountHistory",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/accounts:reassign",
            json!({"filter": "owner = \"ada\"", "owner": "eve", "requestId": "r"}),
            "AccountService/ReassignAccounts",
            json!({"filter": "owner = \"ada\"", "owner": "eve", "requestId": "r"}),
        ),
        (
            Method::POST,
            "/v1/accounts/7:merge",
            json!({"duplicateId": "8", "take": "name,owner", "requestId": "r"}),
            "AccountService/MergeAccount",
            json!({"id": "7", "duplicateId": "8", "take": "name,owner", "requestId": "r"}),
        ),
        (
            Method::POST,
            "/v1/accounts/7:unmerge",
            json!({"requestId": "r"}),
            "AccountService/UnmergeAccount",
            json!({"id": "7", "requestId": "r"}),
        ),
        (
            Method::GET,
            "/v1/accounts/7:timeline?pageSize=2&pageToken=t",
            Value::Null,
            "AccountService/GetTimeline",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/activities/customers?requestId=r",
            task.clone(),
            "ActivityService/CreateActivity",
            json!({"requestId": "r", "activity": task}),
        ),
        (Method::GET, "/v1/activities/customers/7", Value::Null, "ActivityService/GetActivity", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/activities/customers:batchGet?ids=7",
            Value::Null,
            "ActivityService/BatchGetActivities",
            json!({"ids": ["7"]}),
        ),
        (
            Method::GET,
            "/v1/activities/customers?pageToken=t&filter=x",
            Value::Null,
            "ActivityService/ListActivities",
            json!({"pageToken": "t", "filter": "x"}),
        ),
        (
            Method::GET,
            "/v1/activities/customers:openTasks?pageSize=2&pageToken=t",
            Value::Null,
            "ActivityService/ListOpenTasks",
            json!({"pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::PATCH,
            "/v1/activities/customers/7",
            json!({"done": true}),
            "ActivityService/UpdateActivity",
            json!({"activity": {"id": "7", "done": true}, "updateMask": "done"}),
        ),
        (
            Method::DELETE,
            "/v1/activities/customers/7",
            Value::Null,
            "ActivityService/DeleteActivity",
            json!({"id": "7"}),
        ),
        (
            Method::POST,
            "/v1/activities/customers/7:undelete",
            json!({}),
            "ActivityService/UndeleteActivity",
            json!({"id": "7"}),
        ),
        (
            Method::GET,
            "/v1/activities/customers:export?filter=owner+%3D+%22ada%22&show_deleted=true",
            Value::Null,
            "ActivityService/ExportActivities",
            export(),
        ),
        (
            Method::GET,
            "/v1/activities/customers/7:history?pageSize=2&pageToken=t",
            Value::Null,
            "ActivityService/GetActivityHistory",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/savedViews/customers?requestId=r",
            view.clone(),
            "SavedViewService/CreateSavedView",
            json!({"requestId": "r", "savedView": view}),
        ),
        (Method::GET, "/v1/savedViews/customers/7", Value::Null, "SavedViewService/GetSavedView", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/savedViews/customers:batchGet?ids=7",
            Value::Null,
            "SavedViewService/BatchGetSavedViews",
            json!({"ids": ["7"]}),
        ),
        (
            Method::GET,
            "/v1/savedViews/customers?pageToken=t&filter=x",
            Value::Null,
            "SavedViewService/ListSavedViews",
            json!({"pageToken": "t", "filter": "x"}),
        ),
        (
            Method::PATCH,
            "/v1/savedViews/customers/7",
            json!({"name": "Ours"}),
            "SavedViewService/UpdateSavedView",
            json!({"savedView": {"id": "7", "name": "Ours"}, "updateMask": "name"}),
        ),
        (
            Method::DELETE,
            "/v1/savedViews/customers/7",
            Value::Null,
            "SavedViewService/DeleteSavedView",
            json!({"id": "7"}),
        ),
        (
            Method::POST,
            "/v1/savedViews/customers/7:undelete",
            json!({}),
            "SavedViewService/UndeleteSavedView",
            json!({"id": "7"}),
        ),
        (
            Method::GET,
            "/v1/savedViews/customers:export?filter=owner+%3D+%22ada%22&show_deleted=true",
            Value::Null,
            "SavedViewService/ExportSavedViews",
            export(),
        ),
        (
            Method::GET,
            "/v1/savedViews/customers/7:history?pageSize=2&pageToken=t",
            Value::Null,
            "SavedViewService/GetSavedViewHistory",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/attributeDefinitions/customers?requestId=r",
            definition.clone(),
            "AttributeDefinitionService/CreateAttributeDefinition",
            json!({"requestId": "r", "attributeDefinition": definition}),
        ),
        (
            Method::GET,
            "/v1/attributeDefinitions/customers/7",
            Value::Null,
            "AttributeDefinitionService/GetAttributeDefinition",
            json!({"id": "7"}),
        ),
        (
            Method::GET,
            "/v1/attributeDefinitions/customers:batchGet?ids=7",
            Value::Null,
            "AttributeDefinitionService/BatchGetAttributeDefinitions",
            json!({"ids": ["7"]}),
        ),
        (
            Method::GET,
            "/v1/attributeDefinitions/customers?pageToken=t&filter=x",
            Value::Null,
            "AttributeDefinitionService/ListAttributeDefinitions",
            json!({"pageToken": "t", "filter": "x"}),
        ),
        (
            Method::PATCH,
            "/v1/attributeDefinitions/customers/7",
            json!({"displayName": "x"}),
            "AttributeDefinitionService/UpdateAttributeDefinition",
            json!({"attributeDefinition": {"id": "7", "displayName": "x"}, "updateMask": "displayName"}),
        ),
        (
            Method::DELETE,
            "/v1/attributeDefinitions/customers/7",
            Value::Null,
            "AttributeDefinitionService/DeleteAttributeDefinition",
            json!({"id": "7"}),
        ),
        (
            Method::POST,
            "/v1/attributeDefinitions/customers/7:undelete",
            json!({}),
            "AttributeDefinitionService/UndeleteAttributeDefinition",
            json!({"id": "7"}),
        ),
        (
            Method::GET,
            "/v1/attributeDefinitions/customers:export?filter=owner+%3D+%22ada%22&show_deleted=true",
            Value::Null,
            "AttributeDefinitionService/ExportAttributeDefinitions",
            export(),
        ),
        (
            Method::GET,
            "/v1/attributeDefinitions/customers/7:history?pageSize=2&pageToken=t",
            Value::Null,
            "AttributeDefinitionService/GetAttributeDefinitionHistory",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/attributeDefinitions/customers/7:makeFilterable",
            json!({"requestId": "r"}),
            "AttributeDefinitionService/MakeAttributeFilterable",
            json!({"id": "7", "requestId": "r"}),
        ),
        (
            Method::GET,
            "/v1/changes/customers?resources=accounts&resources=contacts&cursor=c&pageSize=2",
            Value::Null,
            "ChangeService/ListChanges",
            json!({"resources": ["accounts", "contacts"], "cursor": "c", "pageSize": 2}),
        ),
        (
            Method::GET,
            "/v1/changes/customers:watch?resources=accounts&cursor=c",
            Value::Null,
            "ChangeService/WatchChanges",
            json!({"resources": ["accounts"], "cursor": "c"}),
        ),
        (
            Method::POST,
            "/v1/contacts?request_id=r",
            contact.clone(),
            "ContactService/CreateContact",
            json!({"requestId": "r", "contact": contact}),
        ),
        (Method::GET, "/v1/contacts/7", Value::Null, "ContactService/GetContact", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/contacts:batchGet?ids=7",
            Value::Null,
            "ContactService/BatchGetContacts",
            json!({"ids": ["7"]}),
        ),
        (
            Method::GET,
            "/v1/contacts?pageToken=t&filter=x",
            Value::Null,
            "ContactService/ListContacts",
            json!({"pageToken": "t", "filter": "x"}),
        ),
        (
            Method::PATCH,
            "/v1/contacts/7?updateMask=givenName,phones",
            json!({"givenName": "A"}),
            "ContactService/UpdateContact",
            json!({"contact": {"id": "7", "givenName": "A"}, "updateMask": "givenName,phones"}),
        ),
        (Method::DELETE, "/v1/contacts/7", Value::Null, "ContactService/DeleteContact", json!({"id": "7"})),
        (Method::POST, "/v1/contacts/7:undelete", json!({}), "ContactService/UndeleteContact", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/contacts:export?filter=owner+%3D+%22ada%22&show_deleted=true",
            Value::Null,
            "ContactService/ExportContacts",
            export(),
        ),
        (
            Method::GET,
            "/v1/contacts/7:history?pageSize=2&pageToken=t",
            Value::Null,
            "ContactService/GetContactHistory",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/contacts/7:merge",
            json!({"duplicateId": "8", "take": "name,owner", "requestId": "r"}),
            "ContactService/MergeContact",
            json!({"id": "7", "duplicateId": "8", "take": "name,owner", "requestId": "r"}),
        ),
        (
            Method::POST,
            "/v1/contacts/7:unmerge",
            json!({"requestId": "r"}),
            "ContactService/UnmergeContact",
            json!({"id": "7", "requestId": "r"}),
        ),
        (
            Method::GET,
            "/v1/contacts/7:timeline?pageSize=2&pageToken=t",
            Value::Null,
            "ContactService/GetTimeline",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/imports/customers",
            json!({"resource": "contacts", "fileName": "a.csv", "requestId": "r"}),
            "ImportService/CreateImport",
            json!({"resource": "contacts", "fileName": "a.csv", "requestId": "r"}),
        ),
        (Method::GET, "/v1/imports/customers/7", Value::Null, "ImportService/GetImport", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/imports/customers?pageSize=2&pageToken=t",
            Value::Null,
            "ImportService/ListImports",
            json!({"pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/imports/customers/7:upload",
            json!({"offset": "9", "content": "bmFtZQ=="}),
            "ImportService/UploadImport",
            json!({"id": "7", "offset": "9", "content": "bmFtZQ=="}),
        ),
        (
            Method::GET,
            "/v1/imports/customers/7:inspect",
            Value::Null,
            "ImportService/InspectImport",
            json!({"id": "7"}),
        ),
        (
            Method::PATCH,
            "/v1/imports/customers/7",
            json!({"separator": ";", "hasHeader": false}),
            "ImportService/UpdateImport",
            json!({"id": "7", "settings": {"separator": ";", "hasHeader": false}, "updateMask": "hasHeader,separator"}),
        ),
        (
            Method::POST,
            "/v1/imports/customers/7:check",
            json!({"createAccounts": true, "requestId": "r"}),
            "ImportService/CheckImport",
            json!({"id": "7", "createAccounts": true, "requestId": "r"}),
        ),
        (
            Method::POST,
            "/v1/imports/customers/7:run",
            json!({"duplicates": "DUPLICATES_CREATE", "requestId": "r"}),
            "ImportService/RunImport",
            json!({"id": "7", "duplicates": "DUPLICATES_CREATE", "requestId": "r"}),
        ),
        (
            Method::POST,
            "/v1/imports/customers/7:undo",
            json!({"requestId": "r"}),
            "ImportService/UndoImport",
            json!({"id": "7", "requestId": "r"}),
        ),
        (
            Method::GET,
            "/v1/imports/customers/7:errors?phase=PHASE_RUN&pageSize=2&pageToken=t",
            Value::Null,
            "ImportService/ListImportErrors",
            json!({"id": "7", "phase": "PHASE_RUN", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/contacts/7:erase",
            json!({"etag": "e", "requestId": "r"}),
            "ContactService/EraseContact",
            json!({"id": "7", "etag": "e", "requestId": "r"}),
        ),
        (
            Method::POST,
            "/v1/tags/customers?requestId=r",
            json!({"name": "VIP", "colour": "#1f6feb"}),
            "TagService/CreateTag",
            json!({"requestId": "r", "tag": {"name": "VIP", "colour": "#1f6feb"}}),
        ),
        (Method::GET, "/v1/tags/customers/7", Value::Null, "TagService/GetTag", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/tags/customers:batchGet?ids=7",
            Value::Null,
            "TagService/BatchGetTags",
            json!({"ids": ["7"]}),
        ),
        (
            Method::GET,
            "/v1/tags/customers?pageToken=t&filter=x",
            Value::Null,
            "TagService/ListTags",
            json!({"pageToken": "t", "filter": "x"}),
        ),
        (
            Method::PATCH,
            "/v1/tags/customers/7",
            json!({"name": "VIP"}),
            "TagService/UpdateTag",
            json!({"tag": {"id": "7", "name": "VIP"}, "updateMask": "name"}),
        ),
        (Method::DELETE, "/v1/tags/customers/7", Value::Null, "TagService/DeleteTag", json!({"id": "7"})),
        (Method::POST, "/v1/tags/customers/7:undelete", json!({}), "TagService/UndeleteTag", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/tags/customers:export?filter=owner+%3D+%22ada%22&show_deleted=true",
            Value::Null,
            "TagService/ExportTags",
            export(),
        ),
        (
            Method::GET,
            "/v1/tags/customers/7:history?pageSize=2&pageToken=t",
            Value::Null,
            "TagService/GetTagHistory",
            json!({"id": "7", "pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/tags/customers/7:merge",
            json!({"into": "8", "requestId": "r"}),
            "TagService/MergeTag",
            json!({"id": "7", "into": "8", "requestId": "r"}),
        ),
        (Method::GET, "/v1/operations/customers/7", Value::Null, "OperationService/GetOperation", json!({"id": "7"})),
        (
            Method::GET,
            "/v1/operations/customers?pageSize=2&pageToken=t",
            Value::Null,
            "OperationService/ListOperations",
            json!({"pageSize": 2, "pageToken": "t"}),
        ),
        (
            Method::POST,
            "/v1/operations/customers/7:cancel",
            json!({}),
            "OperationService/CancelOperation",
            json!({"id": "7"}),
        ),
        (
            Method::GET,
            "/v1/operations/customers/7:wait?timeout=1.5s",
            Value::Null,
            "OperationService/WaitOperation",
            json!({"id": "7", "timeout": "1.500s"}),
        ),
        (
            Method::GET,
            "/v1/customers:search?query=ac&resources=accounts&resources=contacts&limit=5",
            Value::Null,
            "SearchService/SearchCustomers",
            json!({"query": "ac", "resources": ["accounts", "contacts"], "limit": 5}),
        ),
        (
            Method::POST,
            "/v1/accounts:findDuplicates",
            json!({"account": {"name": "Acme"}}),
            "SearchService/FindDuplicateAccounts",
            json!({"account": {"name": "Acme"}}),
        ),
        (
            Method::POST,
            "/v1/contacts:findDuplicates",
            json!({"id": "7"}),
            "SearchService/FindDuplicateContacts",
            json!({"id": "7"}),
        ),
        (
            Method::GET,
            "/v1/accounts:exportCsv?filter=owner+%3D+%22ada%22&showDeleted=true&byteOrderMark=true",
            Value::Null,
            "TableService/ExportAccountTable",
            json!({"filter": "owner = \"ada\"", "showDeleted": true, "byteOrderMark": true}),
        ),
        (
            Method::GET,
            "/v1/contacts:exportCsv?filter=owner+%3D+%22ada%22&show_deleted=true",
            Value::Null,
            "TableService/ExportContactTable",
            export(),
        ),
    ]
}

/// Of this API, and annotated: what is for other services alone has no route.
fn is_ours(rpc: &str) -> bool {
    rpc.starts_with("/crm.customers.v1.") && !rpc.ends_with("/WatchTenants")
}

#[test]
fn every_annotated_rpc_has_a_row_here() {
    let rows: Vec<_> = requests().into_iter().map(|(_, _, _, rpc, _)| format!("/crm.customers.v1.{rpc}")).collect();
    let transcoder = transcoder();
    let rpcs: Vec<_> = transcoder.methods().filter(|rpc| is_ours(&rpc.path)).map(|rpc| rpc.path.clone()).collect();
    assert_eq!(rows, rpcs);
}

#[test]
fn requests_become_messages_and_messages_json() {
    let transcoder = transcoder();
    for (method, uri, body, rpc, expected) in requests() {
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        let found = transcoder.route(&method, path).unwrap();
        assert_eq!(found.rpc.path, format!("/crm.customers.v1.{rpc}"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let message = transcoder.request(&found, query, &HeaderMap::new(), body.as_bytes()).unwrap().messages.remove(0);
        let json = transcoder.message_to_json(found.rpc.request_type(), &message).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert!(things::contains(&json, &expected), "{method} {uri}: {json} lacks {expected}");
        assert_eq!(transcoder.json_to_message(found.rpc.request_type(), &json).unwrap(), message, "{method} {uri}");
    }
}

#[test]
fn generated_types_read_what_was_written() {
    let transcoder = transcoder();
    let found = transcoder.route(&Method::POST, "/v1/accounts").unwrap();
    let headers = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "r".parse().unwrap())]);
    let mut asked = transcoder.request(&found, None, &headers, br#"{"name": "Acme", "employees": 0}"#).unwrap();
    let request = pb::CreateAccountRequest::decode(asked.messages.remove(0)).unwrap();
    let account = pb::Account { name: "Acme".into(), employees: Some(0), ..pb::Account::default() };
    assert_eq!(
        request,
        pb::CreateAccountRequest { account: Some(account), request_id: "r".into(), ..Default::default() }
    );
}

#[test]
fn answers_show_empty_lists_and_tokens_but_no_absent_optionals() {
    let transcoder = transcoder();
    let check = |path: &str, message: Vec<u8>, expected: &str| {
        let found = transcoder.route(&Method::GET, path).unwrap();
        let json = transcoder.response_json(found.rpc, &message).unwrap();
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    };
    check("/v1/accounts", Vec::new(), r#"{"accounts":[],"nextPageToken":""}"#);
    let account = pb::Account {
        id: "7".into(),
        name: "Acme \"1\"".into(),
        annual_revenue: Some(crm_proto::google::r#type::Money { currency_code: "EUR".into(), units: 5, nanos: 0 }),
        create_time: Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }),
        attributes: [
            ("tier".to_owned(), Kind::StringValue("gold".into())),
            ("seats".to_owned(), Kind::NumberValue(5.0)),
        ]
        .map(|(key, kind)| (key, prost_types::Value { kind: Some(kind) }))
        .into(),
        ..pb::Account::default()
    };
    let expected = concat!(
        r#"{"id":"7","name":"Acme \"1\"","domain":"","industry":"","country":"","territory":"","owner":"","#,
        r#""annualRevenue":{"currencyCode":"EUR","units":"5","nanos":0},"parentId":"","etag":"","#,
        r#""createTime":"1970-01-01T00:00:01.500Z","tagIds":[],"attributes":{"seats":5,"tier":"gold"}}"#
    );
    check("/v1/accounts/7", account.encode_to_vec(), expected);
}

#[test]
fn methods_tell_what_may_be_repeated() {
    let transcoder = transcoder();
    let check = |method: &str, expected: Idempotency| {
        assert_eq!(
            transcoder.rpc(&format!("/crm.customers.v1.AccountService/{method}")).unwrap().idempotency,
            expected
        );
    };
    check("CreateAccount", Idempotency::Idempotent);
    check("ListAccounts", Idempotency::NoSideEffects);
    check("UpdateAccount", Idempotency::Unknown);
    assert!(transcoder.rpc("/crm.customers.v1.AccountService/Nope").is_none());
    assert!(things::transcoder().methods().any(|rpc| rpc.method == "Chat" && rpc.client_streaming));
}
