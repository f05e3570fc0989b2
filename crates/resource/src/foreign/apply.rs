//! What follows from news of records that others name.

use std::collections::{HashMap, HashSet};

use crm_proto::journal::Change;
use uuid::Uuid;

use super::Foreign;
use super::news::{Known, News, Turn};
use crate::{Error, Resource, Write};

impl<R: Resource> Foreign<R> {
    /// Makes what follows from changes of the records that are named, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn apply(&self, write: &mut Write, changes: &[Change]) -> Result<(), Error> {
        let news: Vec<News> = changes.iter().filter_map(News::of).collect();
        let ids: Vec<Uuid> = news.iter().map(|news| news.id).collect::<HashSet<_>>().into_iter().collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.lock(write, &ids).await?;
        let known = self.find(write, &ids).await?;
        self.make(write, &news, known, &ids).await
    }

    /// Makes what follows from how all that are named stand now. Nothing that was told before is newer.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self, write: &mut Write, changes: &[Change]) -> Result<(), Error> {
        let news: Vec<News> = changes.iter().filter_map(News::of).collect();
        let ids: Vec<Uuid> = news.iter().map(|news| news.id).collect();
        self.lock(write, &[]).await?;
        let mut known = self.find(write, &ids).await?;
        known.values_mut().for_each(|known| known.version = 0);
        self.make(write, &news, known, &ids).await
    }

    async fn make(
        &self,
        write: &mut Write,
        news: &[News],
        mut known: HashMap<Uuid, Known>,
        ids: &[Uuid],
    ) -> Result<(), Error> {
        let redirects = known.values().filter_map(|known| Some((known.id, known.winner_id?))).collect();
        for news in news {
            known.entry(news.id).or_insert_with(|| Known::nothing(news.id)).hear(news);
        }
        // What moves is called what its new record is called, so this is known first.
        self.put(write, known.into_values()).await?;
        self.turn(write, news, redirects).await?;
        self.refresh(write, ids).await
    }

    /// Moves, and moves back, one merge after the other.
    async fn turn(&self, write: &mut Write, news: &[News], mut redirects: HashMap<Uuid, Uuid>) -> Result<(), Error> {
        for News { id, turn, .. } in news {
            match turn {
                Some(Turn::Into(winner)) => {
                    redirects.insert(*id, *winner);
                    self.push(write, *id, *winner).await?;
                }
                Some(Turn::Apart) => {
                    if let Some(winner) = redirects.remove(id) {
                        self.pull(write, winner, *id).await?;
                    }
                }
                None => {}
            }
        }
        if news.iter().any(|news| news.turn.is_some()) {
            let statement = &self.texts.forget_old_moves;
            let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant);
            write.execute(statement.name, query).await?;
        }
        Ok(())
    }

    /// Has these records alone, or all if it names none.
    async fn lock(&self, write: &mut Write, ids: &[Uuid]) -> Result<(), Error> {
        let statement = &self.texts.lock;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids);
        write.execute(statement.name, query).await?;
        Ok(())
    }

    async fn find(&self, write: &mut Write, ids: &[Uuid]) -> Result<HashMap<Uuid, Known>, Error> {
        let statement = &self.texts.find;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids);
        let found: Vec<Known> = write.fetch_all(statement.name, query).await?;
        Ok(found.into_iter().map(|known| (known.id, known)).collect())
    }

    async fn put(&self, write: &mut Write, known: impl Iterator<Item = Known>) -> Result<(), Error> {
        let known: Vec<Known> = known.collect();
        let statement = &self.texts.put;
        let query = sqlx::query(statement.sql.clone())
            .bind(write.call.tenant)
            .bind(known.iter().map(|known| known.id).collect::<Vec<_>>())
            .bind(known.iter().map(|known| known.version).collect::<Vec<_>>())
            .bind(known.iter().map(|known| known.name.clone()).collect::<Vec<_>>())
            .bind(known.iter().map(|known| known.deleted).collect::<Vec<_>>())
            .bind(known.iter().map(|known| known.winner_id).collect::<Vec<_>>());
        write.execute(statement.name, query).await?;
        Ok(())
    }
}
