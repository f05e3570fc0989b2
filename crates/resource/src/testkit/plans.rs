//! Which index answers which list, as the service's role.

use crm_database::Database;
use crm_database::plan::{self, Plan};
use crm_proto::standard::Page;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::call;
use crate::attributes::Known;
use crate::foreign::{self, Named};
use crate::journal::Difference;
use crate::select::Position;
use crate::statements::Statements;
use crate::{AnyResource, Kind, Service, facets, merge, page, select};

/// Filter, order, index, whether the index gives the order, too.
pub type Variant<'v> = (&'v str, &'v str, &'v str, bool);

/// A database that is filled, and whose rows are looked at.
#[derive(Debug)]
pub struct Plans<'d> {
    pub database: &'d Database,
    pub tenant: Uuid,
}

impl Plans<'_> {
    /// Lists of a resource: each page is answered by the index, with all that is filtered as its conditions.
    pub async fn check_lists(&self, resource: &AnyResource, variants: &[Variant<'_>]) {
        let statements = resource.statements();
        for variant in variants {
            for show_deleted in [false, true] {
                self.check_list(resource, &statements, *variant, show_deleted).await;
            }
        }
    }

    async fn check_list(
        &self,
        resource: &AnyResource,
        statements: &Statements,
        (filter, order_by, index, in_order): Variant<'_>,
        show_deleted: bool,
    ) {
        let kind = resource.kind;
        let (filter_text, order_text) = (filter.to_owned(), order_by.to_owned());
        let request = Page { filter: filter_text, order_by: order_text, show_deleted, ..Page::default() };
        let (mut listing, _) = page::page(kind, self.tenant, "ada", &request, &Known::example()).unwrap();
        for page in ["first", "later"] {
            let mut transaction = self.database.begin_read(self.tenant, None).await.unwrap();
            let mut query = select::page(kind, &statements.select, self.tenant, &listing);
            let plan = plan::explain(&mut transaction, query.build()).await.unwrap();
            println!("{filter:?} by {order_by:?}, {page} page: {:?}", plan.indexes());
            plan.assert_no_sequential_scan().assert_uses_index(index);
            if in_order {
                plan.assert_no_sort();
            }
            let conditions = plan.details("Index Cond").join(" ");
            assert!(conditions.contains("tenant_id"), "{plan}");
            for field in kind.filters.iter().map(|filter| filter.field) {
                let is_filtered = filter.starts_with(field) || filter.contains(&format!(" {field}"));
                assert!(!is_filtered || conditions.contains(field), "{field} is not an index condition:\n{plan}");
            }
            listing.after = Some(Position::middle(kind, listing.order));
        }
    }

    /// A page of a list, which is read: the first one, or one half-way. How records with a facet are found is counted first,
    /// as of any list.
    pub async fn read(&self, resource: &AnyResource, filter: &str, order_by: &str, is_first: bool) -> Plan {
        let (kind, statements) = (resource.kind, resource.statements());
        let request = Page { filter: filter.to_owned(), order_by: order_by.to_owned(), ..Page::default() };
        let (mut listing, _) = page::page(kind, self.tenant, "ada", &request, &Known::example()).unwrap();
        listing.after = (!is_first).then(|| Position::middle(kind, listing.order));
        let mut transaction = self.database.begin_read(self.tenant, None).await.unwrap();
        let count = facets::count(kind.schema());
        facets::narrow(&mut transaction, &count, self.tenant, kind, &mut listing.selection).await.unwrap();
        let mut query = select::page(kind, &statements.select, self.tenant, &listing);
        plan::explain_analyze(&mut transaction, query.build()).await.unwrap()
    }

    /// A statement about single rows uses an index whose name begins so.
    pub async fn check_statement(&self, query: impl sqlx::Execute<'_, sqlx::Postgres>, index: &str) {
        let mut transaction = self.database.begin(self.tenant, None).await.unwrap();
        let plan = plan::explain(&mut transaction, query).await.unwrap();
        plan.assert_no_sequential_scan();
        assert!(plan.indexes().iter().any(|used| used.starts_with(index)), "{index} is not used:\n{plan}");
    }

    /// Each range of terms is a range of the index, as far as the tenant and the first letters go.
    pub async fn check_search(&self, service: &Service) {
        let sql = crate::search::Statements::new(super::storage(service).schema);
        let columns = || [vec!["an7f".to_owned(), "cw".to_owned()], vec!["an7g".to_owned(), "cx".to_owned()]];
        let bound = |sql: &sqlx::SqlStr| {
            columns().into_iter().fold(sqlx::query(sql.clone()).bind(self.tenant), |query, column| query.bind(column))
        };
        for (name, query) in [
            ("first", bound(&sql.first)),
            ("more", bound(&sql.more)),
            ("few", bound(&sql.few)),
            ("guesses", bound(&sql.guesses)),
            ("count", bound(&sql.count)),
            ("around", bound(&sql.around).bind(columns()[1].clone())),
            ("around many", bound(&sql.around_many).bind(columns()[1].clone())),
        ] {
            let mut transaction = self.database.begin_read(self.tenant, None).await.unwrap();
            let plan = plan::explain(&mut transaction, query).await.unwrap();
            plan.assert_no_sequential_scan().assert_uses_index("search_terms_pkey").assert_no_sort();
            for condition in plan.details("Index Cond") {
                let (low, high) = (condition.contains("term >="), condition.contains("term <"));
                assert!(condition.contains("tenant_id") && low && high, "{name}: {plan}");
            }
        }
    }

    /// What stands under a record is found by an index when it is moved, and is nothing else.
    pub async fn check_moves(&self, kind: &Kind, field: &str, only: &str, index: &str, of: Uuid) {
        let query = sqlx::query(merge::push(kind, field, only)).bind(self.tenant).bind(of).bind(Uuid::nil());
        self.check_statement(Difference::default().bind(query, &call(self.tenant)), index).await;
    }

    /// What names records of another service is found by an index when these are merged, parted or renamed.
    pub async fn check_foreign(&self, kind: &Kind, named: &Named, index: &str, of: Uuid) {
        let author = call(self.tenant);
        for (name, sql) in foreign::statements(kind, named) {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(self.tenant);
            let moves = Difference::of_ids(named.id, Some(of), None);
            match name.as_str() {
                it if it.ends_with("_along") => {
                    self.check_statement(moves.bind(query.bind(of).bind(Uuid::nil()), &author), index).await;
                }
                it if it.ends_with("_back") => {
                    let query = moves.bind(query.bind(of).bind(Uuid::nil()), &author);
                    self.check_statement(query, "foreign_moves_pkey").await;
                }
                it if it.starts_with("show_") => {
                    self.check_statement(Difference::bind_author(query.bind(vec![of]), &author), index).await;
                }
                it if it.starts_with("find_") => {
                    self.check_statement(query.bind(vec![of]), "foreign_records_pkey").await;
                }
                "forget_moves" => self.check_statement(query.bind(of), "foreign_moves_pkey").await,
                "forget_old_moves" => self.check_statement(query, "foreign_moves_move_time_idx").await,
                _ => {}
            }
        }
    }

    /// The statements that every resource has use its primary key.
    pub async fn check_standard_statements(&self, resource: &AnyResource, ids: &[Uuid]) {
        let (statements, index) = (resource.statements(), format!("{}_pkey", resource.kind.plural));
        let one = |sql: &sqlx::SqlStr| sqlx::query(sql.clone()).bind(self.tenant).bind(ids[0]);
        self.check_statement(sqlx::query(statements.find.sql.clone()).bind(self.tenant).bind(ids.to_vec()), &index)
            .await;
        self.check_statement(one(&statements.lock.sql), &index).await;
        self.check_statement(one(&statements.hold.sql), &index).await;
        let many = |sql: &sqlx::SqlStr| sqlx::query(sql.clone()).bind(self.tenant).bind(ids.to_vec());
        self.check_statement(many(&statements.many.lock.sql), &index).await;
        self.check_statement(many(&statements.many.hold.sql), &index).await;
        let call = call(self.tenant);
        let entry = |query| Difference::default().bind(query, &call);
        self.check_statement(entry(one(&statements.set_deleted.sql).bind(true)), &index).await;
        let mut update = (resource.columns)().bind(one(&statements.update.sql));
        if !resource.kind.terms.is_empty() {
            update = update.bind(Vec::<String>::new()).bind(Vec::<String>::new());
        }
        if resource.kind.facets {
            update = facets::Changed::none().bind(update);
        }
        let update = entry(update);
        self.check_statement(update, &index).await;
    }
}
