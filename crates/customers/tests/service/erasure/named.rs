//! By what a person is found elsewhere: their addresses and numbers, and not those that merely have them within.

use crm_proto::customers::{Contact, CreateContactRequest};
use crm_proto::imports;
use crm_proto::operations::operation;
use crm_proto::views::saved_view::Visibility::Shared;
use crm_proto::views::{self, SavedView};
use uuid::Uuid;

use super::{Two, erase};
use crate::support::{Caller, account, call, contact, refusal, refused};

const ANN: &str = "ann@vexmoor.example";
const JOANN: &str = "joann@vexmoor.example";
const ANN_ELSEWHERE: &str = "ann@vexmoor.example.org";

async fn file(caller: &Caller, bytes: &[u8], part: usize) -> String {
    let (resource, file_name, request_id) = ("contacts".to_owned(), "mine.csv".to_owned(), Uuid::new_v4().to_string());
    let request = imports::CreateImportRequest { resource, file_name, request_id };
    let id = call!(caller, imports.create_import(request)).unwrap().id;
    let mut offset = 0;
    for part in bytes.chunks(part) {
        let request = imports::UploadImportRequest { id: id.clone(), offset, content: part.to_vec().into() };
        offset = call!(caller, imports.upload_import(request)).unwrap().size_bytes;
    }
    id
}

async fn is_kept(caller: &Caller, import: &str) -> bool {
    call!(caller, imports.get_import(imports::GetImportRequest { id: import.to_owned() })).is_ok()
}

async fn view(caller: &Caller, email: &str) -> SavedView {
    let saved_view = Some(SavedView {
        resource: "contacts".to_owned(),
        name: format!("of {email}"),
        filter: format!("email = \"{email}\""),
        visibility: Shared.into(),
        ..Default::default()
    });
    let request = views::CreateSavedViewRequest { saved_view, request_id: Uuid::new_v4().to_string() };
    call!(caller, saved_views.create_saved_view(request)).unwrap()
}

#[tokio::test]
async fn who_has_an_address_that_ends_or_begins_like_the_erased_one_loses_nothing() {
    let two = Two::start().await;
    let (admin, other) = (&two.admin, &two.other);
    let account = admin.create_account(account("Acme")).await.unwrap().id;
    let phone = |phone: &str| vec![phone.to_owned()];
    let creation = |email: &str, number: &str, name: &str| CreateContactRequest {
        contact: Some(Contact { emails: vec![email.to_owned()], phones: phone(number), ..contact(&account, name) }),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let creations = [
        creation(ANN, "+4930123456", "Love"),
        creation(JOANN, "+49301234567", "Byron"),
        creation(ANN_ELSEWHERE, "+4940123456", "Babbage"),
    ];
    let mut made = Vec::new();
    for creation in &creations {
        made.push(call!(admin, contacts.create_contact(creation.clone())).unwrap());
    }
    let mut saved = Vec::new();
    for email in [ANN, JOANN, ANN_ELSEWHERE] {
        saved.push(view(other, email).await);
    }
    let of_others = format!("family_name,email,phone\nX,{JOANN},+49301234567\nY,{ANN_ELSEWHERE},\n");
    let kept = file(admin, of_others.as_bytes(), 13).await;
    let hers = format!("family_name,email\nX,\"{}\"\n", ANN.to_uppercase());
    let wide: Vec<u8> = hers.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut gone = Vec::new();
    // An address that is in no part, and one of which each part has a byte or two.
    for (bytes, part) in [(hers.as_bytes(), 1), (wide.as_slice(), 3), (ANN.as_bytes(), 4_096)] {
        gone.push(file(admin, bytes, part).await);
    }

    let done = erase(admin, &made[0].id, &made[0].etag).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    let answers: Vec<_> = {
        let mut all = Vec::new();
        for creation in &creations {
            all.push(call!(other, contacts.create_contact(creation.clone())));
        }
        all
    };
    assert_eq!(refusal(answers[0].clone()), refused(tonic::Code::NotFound, "ANSWER_ERASED"));
    assert_eq!(answers[1].as_ref().unwrap(), &made[1]);
    assert_eq!(answers[2].as_ref().unwrap(), &made[2]);
    for (view, is_left) in saved.iter().zip([false, true, true]) {
        let found = call!(other, saved_views.get_saved_view(views::GetSavedViewRequest { id: view.id.clone() }));
        assert_eq!(found.is_ok(), is_left, "{}", view.name);
    }
    assert!(is_kept(admin, &kept).await);
    for import in gone {
        assert!(!is_kept(admin, &import).await);
    }
}
