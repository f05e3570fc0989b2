//! What is found for the letters that somebody types, and in which order.

use crm_proto::customers as pb;
use crm_proto::search::hit::Match;
use tonic::Code;

use super::{found, person, search, titles};
use crate::support::{World, account, call, refusal, refused, violations, world};

/// Three companies and three people.
async fn filled() -> World {
    let world = world().await;
    let agent = &world.agent;
    let mut ids = Vec::new();
    for (name, domain) in
        [("Acme Ltd.", "acme.example"), ("Globex Müller & Söhne", "globex.example"), ("The Acme Works", "")]
    {
        let given = pb::Account { domain: domain.to_owned(), ..account(name) };
        ids.push(agent.create_account(given).await.unwrap().id);
    }
    for (at, given, family, email, phone) in [
        (0, "Ada", "Lovelace", "ada.l@acme.example", "+442079460018"),
        (1, "Grace Brewster", "Hopper", "grace@globex.example", "+14155550123"),
        (1, "Acmelia", "O'Brien", "", ""),
    ] {
        agent.create_contact(person(&ids[at], given, family, email, phone)).await.unwrap();
    }
    world
}

async fn check(world: &World, query: &str, expected: &[(&str, Match)]) {
    let expected: Vec<_> = expected.iter().map(|(title, fit)| ((*title).to_owned(), *fit)).collect();
    assert_eq!(found(&world.agent, query).await, expected, "{query:?}");
}

#[tokio::test]
async fn the_best_fits_come_first() {
    let world = filled().await;
    use Match::{Exact, Prefix, Similar, Word};
    for (query, expected) in [
        ("acme", &[("Acme Ltd.", Exact), ("Acmelia O'Brien", Prefix), ("The Acme Works", Word)][..]),
        ("ACME ltd", &[("Acme Ltd.", Exact)]),
        ("ac", &[("Acme Ltd.", Prefix), ("Acmelia O'Brien", Prefix), ("The Acme Works", Word)]),
        // Without what does not show, accents, punctuation, and in any order.
        ("muller", &[("Globex Müller & Söhne", Word)]),
        ("SOEHNE", &[("Globex Müller & Söhne", Similar)]),
        ("obrien", &[("Acmelia O'Brien", Prefix)]),
        ("hopper grace", &[("Grace Brewster Hopper", Prefix)]),
        ("hopper brew", &[("Grace Brewster Hopper", Word)]),
        ("brew\u{200b}ster", &[("Grace Brewster Hopper", Word)]),
        // A letter too many, one missing, another one, two that changed places, the first one wrong.
        ("lovvel", &[("Ada Lovelace", Similar)]),
        ("lvel", &[("Ada Lovelace", Similar)]),
        ("loxelace", &[("Ada Lovelace", Similar)]),
        ("Lovelcae", &[("Ada Lovelace", Similar)]),
        ("xovelace", &[("Ada Lovelace", Similar)]),
        ("ovelace", &[("Ada Lovelace", Similar)]),
        ("golbex", &[("Globex Müller & Söhne", Similar)]),
        ("hoper gr", &[("Grace Brewster Hopper", Similar)]),
        ("aad", &[("Ada Lovelace", Similar)]),
        // Of three letters, one that is wrong says too little; two that are wrong say nothing.
        ("adx", &[]),
        ("lxvexace", &[]),
        // Addresses, domains, numbers.
        ("ada.l@", &[("Ada Lovelace", Prefix)]),
        ("ADA.L@ACME.EXAMPLE", &[("Ada Lovelace", Exact)]),
        ("ada.l@amce", &[("Ada Lovelace", Similar)]),
        ("globex.ex", &[("Globex Müller & Söhne", Prefix)]),
        ("+44 20 79", &[("Ada Lovelace", Prefix)]),
        ("(020) 7946-0018", &[("Ada Lovelace", Exact)]),
        ("415 555", &[("Grace Brewster Hopper", Prefix)]),
        ("0123", &[("Grace Brewster Hopper", Prefix)]),
        ("5550124", &[]),
        ("nobody", &[]),
    ] {
        check(&world, query, expected).await;
    }
}

#[tokio::test]
async fn a_hit_says_what_it_is_and_what_fits() {
    let world = filled().await;
    let hit = search(&world.agent, "ada.l@").await.unwrap().remove(0);
    assert_eq!(
        (hit.resource.as_str(), hit.title.as_str(), hit.subtitle.as_str()),
        ("contacts", "Ada Lovelace", "Acme Ltd.")
    );
    assert_eq!((hit.field.as_str(), hit.text.as_str()), ("emails", "ada.l@acme.example"));
    assert_eq!(world.agent.get_contact(&hit.id).await.unwrap().family_name, "Lovelace");
    let hit = search(&world.agent, "0018").await.unwrap().remove(0);
    assert_eq!((hit.field.as_str(), hit.text.as_str()), ("phones", "+442079460018"));
    let hit = search(&world.agent, "lovelace").await.unwrap().remove(0);
    assert_eq!((hit.field.as_str(), hit.text.as_str()), ("family_name", "Ada Lovelace"));
    let hit = search(&world.agent, "globex").await.unwrap().remove(0);
    assert_eq!((hit.resource.as_str(), hit.subtitle.as_str()), ("accounts", "globex.example"));
    assert_eq!((hit.field.as_str(), hit.text.as_str()), ("name", "Globex Müller & Söhne"));
}

#[tokio::test]
async fn names_of_all_scripts_are_found_by_their_beginning() {
    let world = world().await;
    for name in [
        "İstanbul İnşaat",
        "Straßenbau",
        "日本語 株式会社",
        "한국전력",
        "שָׁלוֹם בע\"מ",
        "مُحَمَّد",
        "हिन्दी",
        "Йога",
        "🚀",
        "e\u{301}clair",
    ] {
        world.agent.create_account(account(name)).await.unwrap();
    }
    for (query, name) in [
        ("istanbul", "İstanbul İnşaat"),
        ("ISTANBUL I", "İstanbul İnşaat"),
        ("ınsaat", "İstanbul İnşaat"),
        ("STRASSE", "Straßenbau"),
        ("strase", "Straßenbau"),
        ("日本", "日本語 株式会社"),
        ("株", "日本語 株式会社"),
        ("한구", "한국전력"),
        ("하", "한국전력"),
        ("שלום", "שָׁלוֹם בע\"מ"),
        ("محمد", "مُحَمَّد"),
        ("हिन्", "हिन्दी"),
        ("ИОГ", "Йога"),
        ("🚀", "🚀"),
        ("Éclair", "e\u{301}clair"),
    ] {
        assert_eq!(titles(&world.agent, query).await, [name], "{query:?}");
    }
}

#[tokio::test]
async fn hostile_texts_are_refused_or_find_what_begins_so() {
    let world = world().await;
    for name in ["%", "100% Acme", "a_b", "Robert'); drop table", "\\"] {
        world.agent.create_account(account(name)).await.unwrap();
    }
    for query in ["", " ", "\u{a0}\u{3000}", "\u{200b}", "a\0b", "a\nb", "\u{7f}", "a\u{202e}b"] {
        assert_eq!(violations(search(&world.agent, query).await), ["query"], "{query:?}");
    }
    assert_eq!(violations(search(&world.agent, &"a".repeat(10_000)).await), ["query"]);
    assert_eq!(violations(search(&world.agent, &"\u{fdfa}".repeat(201)).await), ["query"]);
    for (query, name) in [("%", "%"), ("\\", "\\"), ("robert')", "Robert'); drop table"), ("100%", "100% Acme")] {
        assert_eq!(titles(&world.agent, query).await, [name], "{query:?}");
    }
    for query in ["%cme", "_", "x", "'", "\u{10fffd}", &"\u{fdfa}".repeat(200), &"a ".repeat(100), &"1".repeat(200)] {
        assert_eq!(titles(&world.agent, query).await, Vec::<String>::new(), "{query:?}");
    }
    // No letter is a wildcard.
    assert_eq!(titles(&world.agent, "a_").await, ["a_b", "100% Acme"]);
    assert_eq!(titles(&world.agent, "a_b").await, ["a_b"]);
    let request = |limit: i32, resources: &[&str]| pb::SearchCustomersRequest {
        query: "a".to_owned(),
        limit,
        resources: resources.iter().map(|name| (*name).to_owned()).collect(),
    };
    let refused_fields = |request| async { violations(call!(world.agent, search.search_customers(request))) };
    assert_eq!(refused_fields(request(-1, &[])).await, ["limit"]);
    assert_eq!(refused_fields(request(1, &["accounts", "leads"])).await, ["resources[1]"]);
    let none = call!(
        world.service.caller("acme", crm_server::token::Role::Requester),
        search.search_customers(request(1, &[]))
    );
    assert_eq!(refusal(none), refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
}

#[tokio::test]
async fn answers_are_bounded_and_their_order_is_stable() {
    let world = world().await;
    let at = world.agent.create_account(account("Aa 00")).await.unwrap().id;
    for number in 1..=60 {
        if number % 2 == 0 {
            world.agent.create_account(account(&format!("Aa {:02}", number % 20))).await.unwrap();
        } else {
            let family = format!("{:02}", number % 20);
            world.agent.create_contact(person(&at, "Aa", &family, &format!("aa{number}@x.example"), "")).await.unwrap();
        }
    }
    let ask = async |limit: i32, resources: &[&str]| {
        let resources = resources.iter().map(|name| (*name).to_owned()).collect();
        let request = pb::SearchCustomersRequest { query: "aa".to_owned(), limit, resources };
        call!(world.agent, search.search_customers(request)).unwrap().hits
    };
    let all = ask(1_000, &[]).await;
    assert_eq!((all.len(), ask(0, &[]).await.len(), ask(3, &[]).await.len()), (50, 10, 3));
    assert_eq!(ask(7, &[]).await, all[..7], "less of the same");
    let texts: Vec<_> = all.iter().map(|hit| (hit.text.clone(), hit.resource.clone(), hit.id.clone())).collect();
    let mut sorted = texts.clone();
    sorted.sort();
    assert_eq!(texts, sorted);
    let mut ids: Vec<_> = all.iter().map(|hit| &hit.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50, "none twice");
    for kind in ["accounts", "contacts"] {
        let some = ask(50, &[kind, kind]).await;
        assert_eq!(
            (some.len(), some.iter().all(|hit| hit.resource == kind)),
            (30 + usize::from(kind == "accounts"), true)
        );
    }
}
