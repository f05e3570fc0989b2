//! What is particular about opportunities.

use crm_proto::sales as pb;
use crm_proto::sales::opportunity::{Contact, Line, State};
use crm_resource::testkit::{refusal, refused, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::support::{Rig, euros, money, new_id, opportunity, usual};

fn line(name: &str, quantity: &str, units: i64) -> Line {
    let (name, quantity) = (name.to_owned(), quantity.to_owned());
    Line { name, quantity, unit_price: euros(units), ..Default::default() }
}

#[tokio::test]
async fn it_begins_at_the_first_open_stage_is_won_lost_and_opened_again() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let [new, offer, won, lost] = &pipeline.stages[..] else { panic!("four stages") };
    let made = own.create(pb::Opportunity { probability: Some(30), ..opportunity(&account, &pipeline) }).await.unwrap();
    assert_eq!((&made.stage_id, made.state(), made.close_time), (&new.id, State::Open, None));
    assert!(made.stage_time.is_some());

    let at = |stage: &pb::pipeline::Stage| pb::Opportunity {
        id: made.id.clone(),
        stage_id: stage.id.clone(),
        ..Default::default()
    };
    let bare = own.update(at(lost), &["stage_id"]).await;
    assert_eq!(violations(bare), ["opportunity.lost_reason"]);
    let early = own.update(pb::Opportunity { lost_reason: "price".to_owned(), ..at(offer) }, &["lost_reason"]).await;
    assert_eq!(violations(early), ["opportunity.lost_reason"]);

    let gone = own.move_to(&made.id, lost).await.unwrap();
    assert_eq!((gone.state(), gone.lost_reason.as_str(), gone.probability), (State::Lost, "price", None));
    assert!(gone.close_time.is_some() && gone.stage_time == gone.close_time);
    let likely = own.update(pb::Opportunity { probability: Some(5), ..at(lost) }, &["probability"]).await;
    assert_eq!(violations(likely), ["opportunity.probability"]);
    let cleared = own.update(at(lost), &["lost_reason"]).await;
    assert_eq!(violations(cleared), ["opportunity.lost_reason"]);

    let back = own.move_to(&made.id, offer).await.unwrap();
    assert_eq!((back.state(), back.lost_reason.as_str(), back.close_time), (State::Open, "", None));
    let sold = own.move_to(&made.id, won).await.unwrap();
    assert_eq!(sold.state(), State::Won);
    let moment = |it: &pb::Opportunity| it.close_time.map(|time| (time.seconds, time.nanos));
    assert!(moment(&sold) > moment(&gone));
    // What changes and does not move stays where it is, since when it is there.
    let named =
        own.update(pb::Opportunity { name: "Other".to_owned(), ..at(won) }, &["name", "stage_id"]).await.unwrap();
    assert_eq!((named.stage_time, named.close_time), (sold.stage_time, sold.close_time));

    let stays = own.stays(&made.id).await;
    let names: Vec<_> = stays.iter().map(|stay| stay.stage_name.as_str()).collect();
    assert_eq!(names, ["Won", "Offer", "Lost", "New"]);
    assert_eq!(stays[0].leave_time, None);
    for (later, earlier) in stays.iter().zip(&stays[1..]) {
        assert_eq!(earlier.leave_time, later.enter_time);
        assert!(earlier.duration.is_some_and(|it| (it.seconds, it.nanos) > (0, 0)), "{earlier:?}");
    }
    let missing = own.manager.request(pb::GetOpportunityStagesRequest { id: new_id() });
    let missing = own.opportunities.clone().get_opportunity_stages(missing).await;
    assert_eq!(refusal(missing), refused(Code::NotFound, "OPPORTUNITY_NOT_FOUND"));
}

#[tokio::test]
async fn it_counts_as_the_sum_of_its_lines_or_as_its_amount() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let gearbox = own.product("Gearbox").await;
    let discounted = Line { discount_percent: "7.50".to_owned(), ..line("Service", "1.500", 333) };
    let sold = Line { product_id: gearbox.clone(), ..line("", "2", 550) };
    let lines = vec![discounted, sold];
    let given = pb::Opportunity { amount: euros(7), lines, ..opportunity(&account, &pipeline) };
    let made = own.create(given).await.unwrap();
    // 1.5 x 333.00 - 7.5 % = 462.0375
    assert_eq!(made.lines[0].total, money("EUR", 462, 40_000_000));
    assert_eq!((made.lines[0].quantity.as_str(), made.lines[0].discount_percent.as_str()), ("1.5", "7.5"));
    assert_eq!((made.lines[1].name.as_str(), &made.lines[1].total), ("Gearbox", &euros(1_100)));
    assert_eq!((&made.value, &made.amount), (&money("EUR", 1_562, 40_000_000), &euros(7)));
    let none = own.update(pb::Opportunity { id: made.id.clone(), ..Default::default() }, &["lines"]).await.unwrap();
    assert_eq!((none.value, none.lines.len()), (euros(7), 0));
    let nothing = own.update(pb::Opportunity { id: made.id, ..Default::default() }, &["amount"]).await.unwrap();
    assert_eq!(nothing.value, None);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let person = |id: &str| Contact { contact_id: id.to_owned(), role: String::new() };
    let worst = pb::Opportunity {
        name: String::new(),
        account_id: "x".to_owned(),
        contacts: vec![person("x"), Contact { role: "x".repeat(61), ..person(&new_id()) }],
        pipeline_id: String::new(),
        amount: money("EUR", 1, 1),
        lines: vec![
            Line { product_id: "x".to_owned(), discount_percent: "100.01".to_owned(), ..line("x", "0", 1) },
            Line { unit_price: None, ..line("x", "1.0001", 1) },
            line("x", "1000000.001", -1),
        ],
        probability: Some(101),
        close_date: "2026-02-29".to_owned(),
        next_step_date: "soon".to_owned(),
        lost_reason: "x".repeat(201),
        ..opportunity(&account, &pipeline)
    };
    let told = [
        "name",
        "account_id",
        "contacts[0].contact_id",
        "contacts[1].role",
        "pipeline_id",
        "amount",
        "lines[0].product_id",
        "lines[0].quantity",
        "lines[0].discount_percent",
        "lines[1].quantity",
        "lines[1].unit_price",
        "lines[2].quantity",
        "lines[2].unit_price",
        "probability",
        "close_date",
        "next_step_date",
        "lost_reason",
    ];
    assert_eq!(violations(own.create(worst).await), told.map(|field| format!("opportunity.{field}")));
    let other = Line { unit_price: money("USD", 1, 0), ..line("", "1", 1) };
    for (given, expected) in [
        (vec![line("x", "1", 1), other], vec!["lines[1].name", "lines[1].unit_price"]),
        (vec![line("x", "1000000", 100_000), line("x", "1", 1)], vec!["lines"]),
        (vec![line("x", "1", 1); 101], vec!["lines"]),
    ] {
        let answer = own.create(pb::Opportunity { lines: given, ..opportunity(&account, &pipeline) }).await;
        assert_eq!(violations(answer), expected.iter().map(|it| format!("opportunity.{it}")).collect::<Vec<_>>());
    }
    let most = pb::Opportunity { amount: euros(100_000_000_000), ..opportunity(&account, &pipeline) };
    assert_eq!(own.create(most.clone()).await.unwrap().value, euros(100_000_000_000));
    let beyond = pb::Opportunity { amount: money("EUR", 100_000_000_000, 10_000_000), ..most };
    assert_eq!(violations(own.create(beyond).await), ["opportunity.amount"]);
    let twice = pb::Opportunity { contacts: vec![person(&account); 2], ..opportunity(&account, &pipeline) };
    assert_eq!(violations(own.create(twice).await), ["opportunity.contacts[1].contact_id"]);
    let made = own.create(opportunity(&account, &pipeline)).await.unwrap();
    let nowhere = own.update(pb::Opportunity { id: made.id, ..Default::default() }, &["stage_id"]).await;
    assert_eq!(violations(nowhere), ["opportunity.stage_id"]);
}

#[tokio::test]
async fn what_it_names_is_there() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let (other, contact) = (own.pipeline(usual()).await, own.contact(&account).await);
    let person = |id: &str| vec![Contact { contact_id: id.to_owned(), role: "decides".to_owned() }];
    let product = |id: String| vec![Line { product_id: id, ..line("", "1", 1) }];
    let base = || opportunity(&account, &pipeline);
    let elsewhere = other.stages[0].id.clone();
    for (given, reason) in [
        (pb::Opportunity { account_id: new_id(), ..base() }, "OPPORTUNITY_ACCOUNT_NOT_FOUND"),
        (pb::Opportunity { contacts: person(&new_id()), ..base() }, "OPPORTUNITY_CONTACT_NOT_FOUND"),
        (pb::Opportunity { pipeline_id: new_id(), ..base() }, "OPPORTUNITY_PIPELINE_NOT_FOUND"),
        (pb::Opportunity { stage_id: elsewhere.clone(), ..base() }, "OPPORTUNITY_STAGE_NOT_FOUND"),
        (pb::Opportunity { lines: product(new_id()), ..base() }, "OPPORTUNITY_PRODUCT_NOT_FOUND"),
    ] {
        assert_eq!(refusal(own.create(given).await), refused(Code::FailedPrecondition, reason));
    }
    let made = own.create(pb::Opportunity { contacts: person(&contact), ..base() }).await.unwrap();
    let id = || pb::Opportunity { id: made.id.clone(), ..Default::default() };
    for (given, field, reason) in [
        (pb::Opportunity { account_id: new_id(), ..id() }, "account_id", "OPPORTUNITY_ACCOUNT_NOT_FOUND"),
        (pb::Opportunity { contacts: person(&new_id()), ..id() }, "contacts", "OPPORTUNITY_CONTACT_NOT_FOUND"),
        (pb::Opportunity { stage_id: elsewhere.clone(), ..id() }, "stage_id", "OPPORTUNITY_STAGE_NOT_FOUND"),
        (pb::Opportunity { pipeline_id: other.id.clone(), ..id() }, "pipeline_id", "OPPORTUNITY_STAGE_NOT_FOUND"),
    ] {
        assert_eq!(refusal(own.update(given, &[field]).await), refused(Code::FailedPrecondition, reason), "{field}");
    }
    let unknown = pb::Opportunity { id: new_id(), account_id: new_id(), ..Default::default() };
    let unknown = own.update(unknown, &["account_id"]).await;
    assert_eq!(refusal(unknown), refused(Code::NotFound, "OPPORTUNITY_NOT_FOUND"));
    let moved = pb::Opportunity { pipeline_id: other.id.clone(), stage_id: elsewhere.clone(), ..id() };
    let moved = own.update(moved, &["pipeline_id", "stage_id"]).await.unwrap();
    assert_eq!((moved.pipeline_id, moved.stage_id), (other.id, elsewhere));
}

/// What names an account waits for customers; what names none does not.
#[tokio::test]
async fn without_customers_nothing_is_created_and_everything_moves() {
    let mut own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let made = own.create(opportunity(&account, &pipeline)).await.unwrap();
    own.customers.take().unwrap().stop().await;
    let answer = own.create(opportunity(&account, &pipeline)).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    let moved = own.move_to(&made.id, &pipeline.stages[1]).await.unwrap();
    let whole = pb::Opportunity { name: "Sent back whole".to_owned(), ..moved };
    assert_eq!(own.update(whole, &["*"]).await.unwrap().name, "Sent back whole");
    own.delete(&made.id).await.unwrap();
    own.undelete(&made.id).await.unwrap();
}

#[tokio::test]
async fn stages_and_pipelines_in_use_are_not_taken_away() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let offer = pipeline.stages[1].clone();
    let given = pb::Opportunity { stage_id: offer.id.clone(), ..opportunity(&account, &pipeline) };
    let made = own.create(given).await.unwrap();
    let mut without = pipeline.stages.clone();
    without.remove(1);
    let in_use = refused(Code::FailedPrecondition, "STAGE_IN_USE");
    assert_eq!(refusal(own.set_stages(&pipeline.id, without.clone()).await), in_use);
    let delete = || own.manager.request(pb::DeletePipelineRequest { id: pipeline.id.clone(), etag: String::new() });
    let kept = own.pipelines.clone().delete_pipeline(delete()).await;
    assert_eq!(refusal(kept), refused(Code::FailedPrecondition, "PIPELINE_IN_USE"));
    own.delete(&made.id).await.unwrap();
    assert_eq!(refusal(own.set_stages(&pipeline.id, without.clone()).await), in_use, "it may come back");
    own.pipelines.clone().delete_pipeline(delete()).await.unwrap();
    let gone = refused(Code::FailedPrecondition, "OPPORTUNITY_PIPELINE_NOT_FOUND");
    assert_eq!(refusal(own.undelete(&made.id).await), gone);
    let id = pipeline.id.clone();
    let back = own.manager.request(pb::UndeletePipelineRequest { id, etag: String::new() });
    own.pipelines.clone().undelete_pipeline(back).await.unwrap();
    own.undelete(&made.id).await.unwrap();
    own.move_to(&made.id, &pipeline.stages[0]).await.unwrap();
    assert_eq!(own.set_stages(&pipeline.id, without).await.unwrap().stages.len(), 3);
    let gone = own.move_to(&made.id, &offer).await;
    assert_eq!(refusal(gone), refused(Code::FailedPrecondition, "OPPORTUNITY_STAGE_NOT_FOUND"));
}

#[tokio::test]
async fn lists_find_opportunities_by_whose_where_and_when_they_are() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    for (name, owner, stage, close_date) in [
        ("a", "ada", 0, "2026-01-31"),
        ("b", "ada", 1, "2026-02-01"),
        ("c", "Bob", 0, ""),
        ("d", "ada", 0, "2026-03-01"),
    ] {
        let (stage_id, owner) = (pipeline.stages[stage].id.clone(), owner.to_owned());
        let (name, close_date) = (name.to_owned(), close_date.to_owned());
        let base = opportunity(&account, &pipeline);
        own.create(pb::Opportunity { name, owner, stage_id, close_date, ..base }).await.unwrap();
    }
    let list = async |filter: String, order_by: &str| -> Result<String, Status> {
        let request = pb::ListOpportunitiesRequest { filter, order_by: order_by.to_owned(), ..Default::default() };
        let answer = own.opportunities.clone().list_opportunities(own.manager.request(request)).await?;
        Ok(answer.into_inner().opportunities.into_iter().map(|it| it.name).collect::<String>())
    };
    let new = &pipeline.stages[0].id;
    for (filter, order_by, expected) in [
        (format!("owner = \"ada\" AND stage_id = \"{new}\""), "create_time desc", "da"),
        (format!("pipeline_id = \"{}\"", pipeline.id), "close_date", "cabd"),
        (format!("account_id = \"{account}\" AND state = STATE_OPEN"), "", "abcd"),
        ("close_date >= \"2026-01-31\" AND close_date < \"2026-03-01\"".to_owned(), "close_date desc", "ba"),
        ("state = STATE_WON".to_owned(), "", ""),
    ] {
        assert_eq!(list(filter.clone(), order_by).await.unwrap(), expected, "{filter}");
    }
    for wrong in ["close_date >= \"January\"", "close_date = \"2026-01-31\"", "state = OPEN", "stage_id = \"x\""] {
        assert_eq!(violations(list(wrong.to_owned(), "").await), ["filter"], "{wrong}");
    }
    assert_eq!(Uuid::parse_str(new).unwrap().get_version_num(), 7);
}
