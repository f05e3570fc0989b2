//! Creations that are refused where there may be one already, if the caller asks for that.

use crm_proto::customers as pb;
use crm_proto::google::rpc;
use crm_proto::search::PossibleDuplicates;
use prost_types::Any;
use tonic::{Code, Status};
use uuid::Uuid;

use super::person;
use crate::support::{World, account, call, refusal, refused, world};

async fn create(
    world: &World,
    contact: pb::Contact,
    request_id: Uuid,
    refuse_duplicates: bool,
) -> Result<pb::Contact, Status> {
    let request =
        pb::CreateContactRequest { contact: Some(contact), request_id: request_id.to_string(), refuse_duplicates };
    call!(world.agent, contacts.create_contact(request))
}

fn candidates(status: &Status) -> PossibleDuplicates {
    let status: rpc::Status = prost::Message::decode(status.details()).unwrap();
    let is_ours = |detail: &&Any| detail.type_url == "type.googleapis.com/crm.search.v1.PossibleDuplicates";
    let detail = status.details.iter().find(is_ours).unwrap();
    prost::Message::decode(detail.value.as_slice()).unwrap()
}

#[tokio::test]
async fn a_creation_is_refused_only_where_its_caller_asks_and_can_be_sent_again() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap().id;
    let ada = || person(&acme, "Ada", "Lovelace", "ada@acme.example", "");
    let first = create(&world, ada(), Uuid::new_v4(), true).await.unwrap();
    // As ever, without the word.
    let namesake = || person(&acme, "Ada", "Lovelace", "", "");
    create(&world, namesake(), Uuid::new_v4(), false).await.unwrap();

    let request = Uuid::new_v4();
    let no = create(&world, ada(), request, true).await.unwrap_err();
    let found = candidates(&no).duplicates;
    assert_eq!(refusal(Err::<(), _>(no)), refused(Code::AlreadyExists, "POSSIBLE_DUPLICATE"));
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].resource.as_str(), &found[0].id, found[0].score), ("contacts", &first.id, 97));
    assert_eq!((found[0].title.as_str(), found[1].score), ("Ada Lovelace", 65));
    let reasons: Vec<_> = found[0].reasons.iter().map(|reason| (reason.reason.as_str(), reason.weight)).collect();
    let expected = [("SAME_EMAIL", 90), ("SAME_NAME", 50), ("SAME_ACCOUNT", 30), ("SAME_EMAIL_DOMAIN", 20)];
    assert_eq!(reasons, expected);
    // The id is still free, and the same request goes through without the word.
    let second = create(&world, ada(), request, false).await.unwrap();
    assert_eq!(create(&world, ada(), request, false).await.unwrap(), second);
    assert_eq!(
        refusal(create(&world, ada(), request, true).await),
        refused(Code::InvalidArgument, "REQUEST_ID_REUSED")
    );
}

#[tokio::test]
async fn a_creation_that_is_repeated_is_no_duplicate_of_itself() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap().id;
    let (ada, request) = (person(&acme, "Ada", "Lovelace", "ada@acme.example", ""), Uuid::new_v4());
    let first = create(&world, ada.clone(), request, true).await.unwrap();
    assert_eq!(create(&world, ada, request, true).await.unwrap(), first);
}

#[tokio::test]
async fn what_is_only_a_little_alike_is_created() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap().id;
    let globex = world.agent.create_account(account("Globex")).await.unwrap().id;
    create(&world, person(&acme, "Ada", "Lovelace", "ada@acme.example", ""), Uuid::new_v4(), true).await.unwrap();
    // A namesake elsewhere, with 50, and a colleague.
    create(&world, person(&globex, "Ada", "Lovelace", "", ""), Uuid::new_v4(), true).await.unwrap();
    create(&world, person(&acme, "Grace", "Hopper", "g@acme.example", ""), Uuid::new_v4(), true).await.unwrap();
    let as_account = |name: &str| pb::CreateAccountRequest {
        account: Some(account(name)),
        request_id: Uuid::new_v4().to_string(),
        refuse_duplicates: true,
    };
    call!(world.agent, accounts.create_account(as_account("Acme Gear"))).unwrap();
    let no = call!(world.agent, accounts.create_account(as_account("ACME Ltd"))).unwrap_err();
    assert_eq!(candidates(&no).duplicates[0].score, 70);
    assert_eq!(refusal(Err::<(), _>(no)), refused(Code::AlreadyExists, "POSSIBLE_DUPLICATE"));
}
