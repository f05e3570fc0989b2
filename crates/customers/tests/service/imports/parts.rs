//! How a file comes: in parts, once each, and not without end.

use crm_proto::imports as pb;
use crm_server::token::Role;
use tonic::Code;

use super::{desk, request_id};
use crate::support::{as_owner, call, refusal, refused, violations};

fn part(id: &str, offset: i64, content: &[u8]) -> pb::UploadImportRequest {
    pb::UploadImportRequest { id: id.to_owned(), offset, content: content.to_vec().into() }
}

#[tokio::test]
async fn a_part_is_added_once_wherever_it_was_lost() {
    let desk = desk().await;
    let id = desk.create("accounts").await;
    let send =
        async |offset, content: &'static [u8]| call!(desk.manager, imports.upload_import(part(&id, offset, content)));
    assert_eq!(send(0, b"name\nAc").await.unwrap().size_bytes, 7);
    assert_eq!(send(7, b"me\n").await.unwrap().size_bytes, 10);
    for (offset, content) in [(0, &b"name\nAc"[..]), (7, b"me\n")] {
        assert_eq!(send(offset, content).await.unwrap().size_bytes, 10, "sent again");
    }
    let wrong = refused(Code::FailedPrecondition, "IMPORT_OFFSET_WRONG");
    for (offset, content) in [(0, &b"name\nAd"[..]), (3, b"e\nAc"), (7, b"me"), (11, b"x")] {
        assert_eq!(refusal(send(offset, content).await), wrong, "{offset}");
    }
    assert_eq!(desk.get(&id).await.size_bytes, 10);
    assert_eq!(desk.inspect(&id).await.rows[0].cells, ["Acme"]);
}

#[tokio::test]
async fn parts_and_files_and_their_number_have_an_end() {
    let desk = desk().await;
    let id = desk.create("contacts").await;
    let big = vec![b'x'; (1 << 20) + 1];
    for (request, field) in [
        (part(&id, 0, &big), "content"),
        (part(&id, 0, b""), "content"),
        (part(&id, -1, b"x"), "offset"),
        (part("7", 0, b"x"), "id"),
    ] {
        assert_eq!(violations(call!(desk.manager, imports.upload_import(request))), [field]);
    }
    call!(desk.manager, imports.upload_import(part(&id, 0, &big[1..]))).unwrap();
    let full = format!("update customers.imports set size = {}", (100 << 20) - 1);
    as_owner(&desk.world.database, &full).await;
    let last = part(&id, (100 << 20) - 1, b"xy");
    let too_large = refused(Code::FailedPrecondition, "IMPORT_TOO_LARGE");
    assert_eq!(refusal(call!(desk.manager, imports.upload_import(last))), too_large);

    let another =
        || pb::CreateImportRequest { resource: "contacts".to_owned(), request_id: request_id(), ..Default::default() };
    // All at once, and one is there.
    let at_once = (0..14).map(|_| async { call!(desk.manager, imports.create_import(another())).is_ok() });
    let made = futures_util::future::join_all(at_once).await;
    assert_eq!(made.iter().filter(|is_made| **is_made).count(), 9);
    let too_many = refused(Code::FailedPrecondition, "IMPORTS_TOO_MANY");
    assert_eq!(refusal(call!(desk.manager, imports.create_import(another()))), too_many);
    let of_others = desk.world.service.caller("other", Role::Admin);
    call!(of_others, imports.create_import(another())).unwrap();
}

#[tokio::test]
async fn imports_are_begun_once_listed_and_their_tenants_alone() {
    let desk = desk().await;
    let request = pb::CreateImportRequest {
        resource: "accounts".to_owned(),
        file_name: " Büro.csv ".to_owned(),
        request_id: request_id(),
    };
    let created = call!(desk.manager, imports.create_import(request.clone())).unwrap();
    assert_eq!(call!(desk.manager, imports.create_import(request.clone())).unwrap(), created);
    assert_eq!(
        (created.file_name.as_str(), created.subject.as_str(), created.state()),
        ("Büro.csv", "ada", pb::import::State::Open)
    );
    for (resource, file_name, field) in
        [("", "", "resource"), ("activities", "", "resource"), ("accounts", "a\0b", "file_name")]
    {
        let (resource, file_name) = (resource.to_owned(), file_name.to_owned());
        let wrong = pb::CreateImportRequest { resource, file_name, request_id: request_id() };
        assert_eq!(violations(call!(desk.manager, imports.create_import(wrong))), [field]);
    }
    let second = desk.create("contacts").await;
    let mut list = pb::ListImportsRequest { page_size: 1, page_token: String::new() };
    let first_page = call!(desk.manager, imports.list_imports(list.clone())).unwrap();
    assert_eq!(first_page.imports[0].id, second);
    list.page_token = first_page.next_page_token;
    let last_page = call!(desk.manager, imports.list_imports(list)).unwrap();
    assert_eq!((last_page.imports[0].id.as_str(), last_page.next_page_token.as_str()), (created.id.as_str(), ""));

    let stranger = desk.world.service.caller("other", Role::Admin);
    let none = || refused(Code::NotFound, "IMPORT_NOT_FOUND");
    let id = created.id;
    assert_eq!(refusal(call!(stranger, imports.get_import(pb::GetImportRequest { id: id.clone() }))), none());
    assert_eq!(refusal(call!(stranger, imports.upload_import(part(&id, 0, b"x")))), none());
    assert_eq!(refusal(call!(stranger, imports.inspect_import(pb::InspectImportRequest { id: id.clone() }))), none());
    let (settings, update_mask) = (Some(pb::ImportSettings::default()), None);
    let update = pb::UpdateImportRequest { id: id.clone(), settings, update_mask };
    assert_eq!(refusal(call!(stranger, imports.update_import(update))), none());
    let run = pb::RunImportRequest { id: id.clone(), request_id: request_id(), ..Default::default() };
    assert_eq!(refusal(call!(stranger, imports.run_import(run))), none());
    let errors = pb::ListImportErrorsRequest { id, ..Default::default() };
    assert_eq!(refusal(call!(stranger, imports.list_import_errors(errors))), none());
    assert!(call!(stranger, imports.list_imports(pb::ListImportsRequest::default())).unwrap().imports.is_empty());
    let agent = desk.world.service.caller("acme", Role::Agent);
    let listed = call!(agent, imports.list_imports(pb::ListImportsRequest::default()));
    assert_eq!(listed.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn what_is_old_enough_is_forgotten_with_all_that_belongs_to_it() {
    let desk = desk().await;
    let id = desk.with_file("accounts", b"name,domain\nAcme,nonsense\nAcme Two,two.example\n").await;
    let young = desk.with_file("accounts", b"name\nYoung\n").await;
    desk.check(&id, false).await;
    let store = crate::support::store(&desk.world.database).await;
    let sweep = async || {
        let (accounts, contacts) = (crm_resource::Records::new(&store), crm_resource::Records::new(&store));
        crm_customers::imports::offer(&store, &accounts, &contacts);
        store.sweep_imports().await.unwrap()
    };
    assert_eq!(sweep().await, 0);
    let old = format!("update customers.imports set forget_time = now() - interval '1 second' where id = '{id}'");
    as_owner(&desk.world.database, &old).await;
    assert_eq!(sweep().await, 1);
    for table in ["imports where id", "import_parts where import_id", "import_errors where import_id"] {
        let left = format!("select count(*) from customers.{table} = '{id}'");
        assert_eq!(crate::operations::number(&desk.world.database, &left).await, 0, "{table}");
    }
    assert_eq!(desk.inspect(&young).await.rows.len(), 1);
}
