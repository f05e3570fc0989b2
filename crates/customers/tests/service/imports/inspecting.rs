//! What a file is taken for, and how that is changed.

use crm_proto::imports::{self as pb, ImportSettings};
use tonic::Code;

use super::{counts, desk};
use crate::support::{call, field_mask, refusal, refused, violations};

const TEXT: &str = "Firma;Branche;Umsatz\r\nMüller & Söhne;Möbel;1,5\r\n";

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

#[tokio::test]
async fn umlauts_come_whole_out_of_each_encoding_of_a_spreadsheet() {
    let desk = desk().await;
    let marked = [b"\xef\xbb\xbf".to_vec(), TEXT.into()].concat();
    for (bytes, encoding) in
        [(TEXT.into(), "utf-8"), (marked, "utf-8"), (utf16(TEXT), "utf-16le"), (latin(TEXT), "windows-1252")]
    {
        let id = desk.with_file("accounts", &bytes).await;
        let found = desk.inspect(&id).await;
        let settings = found.settings.unwrap();
        assert_eq!((settings.encoding.as_str(), settings.separator.as_str()), (encoding, ";"));
        assert_eq!(
            (settings.has_header, settings.fields),
            (Some(true), vec!["name".into(), "industry".into(), "annual_revenue".into()])
        );
        assert_eq!((found.rows[0].row, found.rows[0].cells.join("|").as_str()), (2, "Müller & Söhne|Möbel|1,5"));
        assert_eq!(found.columns[0].header, "Firma");
        // An amount needs its currency, which is told at once.
        assert_eq!(found.rows[0].errors[0].field, "annual_revenue");
        assert_eq!(found.rows[0].errors[0].column, "Umsatz");
    }
    // What is no UTF-8 may stand far behind.
    let long = [b"name\n".to_vec(), b"Acme\n".repeat(200_000), latin("Müller\n")].concat();
    let id = desk.with_file("accounts", &long).await;
    assert_eq!(desk.inspect(&id).await.settings.unwrap().encoding, "windows-1252");
}

#[tokio::test]
async fn columns_are_known_by_several_names_or_by_what_stands_in_them() {
    let desk = desk().await;
    for (resource, head, expected) in [
        (
            "contacts",
            "First Name,LAST_NAME,E-mail 1,E-mail 2,Mobile,Company,Note",
            "given_name,family_name,emails,emails,phones,account_name,",
        ),
        (
            "contacts",
            "Vorname\tNachname\tE-Mail-Adresse\tTelefon\tFirma\tFunktion",
            "given_name,family_name,emails,phones,account_name,title",
        ),
        ("contacts", "Prénom;Nom;Courriel;Société;Téléphone", "given_name,family_name,emails,account_name,phones"),
        (
            "contacts",
            "Nombre;Apellidos;Correo electrónico;Empresa;Móvil",
            "given_name,family_name,emails,account_name,phones",
        ),
        ("contacts", "Name|Account Domain|account_id|Name", "full_name,account_domain,account_id,"),
        (
            "accounts",
            "Company;Website;# Employees;Annual Revenue;Currency;Founded;Parent Account",
            "name,website,employees,annual_revenue,annual_revenue_currency,founded_year,parent_name",
        ),
        ("accounts", "Firma,Währung,Land,Mitarbeiterzahl,Zuständig", "name,annual_revenue_currency,country,employees,"),
    ] {
        let id = desk.with_file(resource, head.as_bytes()).await;
        let found = desk.inspect(&id).await;
        assert_eq!(found.settings.unwrap().fields.join(","), expected, "{head}");
    }
    let rows = "1,ada@acme.example,+14155550123,x\n2,bob@acme.example,+14155550124,y\n";
    let id = desk.with_file("contacts", rows.as_bytes()).await;
    let found = desk.inspect(&id).await;
    let settings = found.settings.unwrap();
    assert_eq!((settings.has_header, settings.fields.join(",")), (Some(false), ",emails,phones,".to_owned()));
    assert_eq!((found.rows.len(), found.rows[0].row), (2, 1));
    assert_eq!(
        found.missing_fields,
        ["account_id | account_domain | account_name", "given_name | family_name | full_name"]
    );
    assert!(found.known_fields.contains(&"full_name".to_owned()) && !found.known_fields.contains(&"id".to_owned()));
}

#[tokio::test]
async fn what_was_recognised_can_be_said_otherwise() {
    let desk = desk().await;
    // Łódź, as a Polish Excel writes it.
    let id = desk.with_file("accounts", b"\xa3\xf3d\x9f;west\nKrak\xf3w;east\n").await;
    assert_eq!(desk.inspect(&id).await.rows[0].cells[0], "£ódŸ");
    let update = async |settings: ImportSettings, mask: &[&str]| {
        let request =
            pb::UpdateImportRequest { id: id.clone(), settings: Some(settings), update_mask: field_mask(mask) };
        call!(desk.manager, imports.update_import(request))
    };
    let fields = vec!["name".to_owned(), "territory".to_owned()];
    let settings = ImportSettings {
        encoding: "windows-1250".to_owned(),
        has_header: Some(false),
        fields: fields.clone(),
        ..Default::default()
    };
    assert_eq!(update(settings.clone(), &[]).await.unwrap().settings, Some(settings));
    let found = desk.inspect(&id).await;
    assert_eq!((found.rows[0].cells[0].as_str(), found.missing_fields.len()), ("Łódź", 0));
    assert_eq!(counts(&desk.run(&id, super::Duplicates::Skip, false).await), (2, 2, 0, 0));

    let closed = refused(Code::FailedPrecondition, "IMPORT_CLOSED");
    assert_eq!(refusal(update(ImportSettings::default(), &["encoding"]).await), closed);
    let field = |name: &str| ImportSettings { fields: vec!["name".to_owned(), name.to_owned()], ..Default::default() };
    for (settings, mask, at) in [
        (ImportSettings { encoding: "shift_jis".to_owned(), ..Default::default() }, "encoding", "settings.encoding"),
        (ImportSettings { separator: "x".to_owned(), ..Default::default() }, "separator", "settings.separator"),
        (field("nonsense"), "fields", "settings.fields[1]"),
        (field("id"), "fields", "settings.fields[1]"),
        (field("name"), "fields", "settings.fields[1]"),
        (ImportSettings { fields: vec![String::new(); 201], ..Default::default() }, "fields", "settings.fields"),
        (ImportSettings::default(), "state", "update_mask.paths[0]"),
    ] {
        assert_eq!(violations(update(settings, &[mask]).await), [at]);
    }
}

#[tokio::test]
async fn excels_own_line_says_the_separator() {
    let desk = desk().await;
    let id = desk.with_file("accounts", b"sep=;\r\nname;country\r\nA, B;x\r\n").await;
    let found = desk.inspect(&id).await;
    assert_eq!((found.settings.unwrap().separator.as_str(), found.rows[0].row), (";", 3));
    assert_eq!(found.rows[0].cells, ["A, B", "x"]);
    assert_eq!(counts(&desk.run(&id, super::Duplicates::Skip, false).await), (1, 1, 0, 0));
}
