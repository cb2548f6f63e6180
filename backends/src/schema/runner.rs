//! Applies migrations and undoes them, the same way on all engines.
//!
//! Each migration has a transaction of its own, with the row that remembers it: it is applied wholly or not at all, and a
//! run that was cut off goes on where it stopped. In the transaction a lock is held, under which the store's state is
//! read again, so that two processes at once apply each migration once.

use sea_orm::{ConnectionTrait as _, Statement};
#[cfg(feature = "postgres")]
use trimaran_core::Engine;
use trimaran_core::config::Area;
use trimaran_core::{Clock, Error, ErrorKind, Result};

#[cfg(feature = "postgres")]
use super::row_security;
use super::status::{Standing, Status};
use super::{Book, Migration, bookkeeping, lock};
use crate::db_error::Doing as _;
use crate::tenant::signing::TenantSetting;
use crate::{Connection, Transaction};

/// Brings the schema of one store to where a book is.
#[derive(Debug)]
pub struct Runner<'a> {
    connection: &'a Connection,
    book: &'a Book,
    areas: &'a [Area],
    clock: &'a dyn Clock,
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only Postgres has roles"))]
    application_role: Option<&'a str>,
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only Postgres has tenant settings"))]
    setting: TenantSetting<'a>,
}

/// A table that undoing a migration drops, and how many rows are in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Loss {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

impl<'a> Runner<'a> {
    /// For the store behind `connection`, which keeps `areas`. On Postgres the connection is the owner's: it makes tables.
    pub fn new(connection: &'a Connection, book: &'a Book, areas: &'a [Area], clock: &'a dyn Clock) -> Self {
        Self { connection, book, areas, clock, application_role: None, setting: TenantSetting::AsItIs }
    }

    /// The role that the application connects as, on Postgres: [`up`](Self::up) ends with
    /// `row_security::secure` for it.
    #[must_use]
    pub fn for_role(mut self, role: &'a str) -> Self {
        self.application_role = Some(role);
        self
    }

    /// How the store is told whose transaction it is, on Postgres. What was before stays, if it isn't said.
    #[must_use]
    pub fn tenant_setting(mut self, setting: TenantSetting<'a>) -> Self {
        self.setting = setting;
        self
    }

    /// Where the store stands. Changes nothing, and needs no more rights than to read.
    ///
    /// # Errors
    /// The engine's, classified; `Forbidden` on Postgres for a role that was given no rights yet.
    pub async fn status(&self) -> Result<Status> {
        Status::read(self.connection, self.connection.engine(), self.book, self.areas).await
    }

    /// Applies what is pending, and gives the names of what it applied. On Postgres, makes row-level security what it
    /// has to be, also for tables that came by other ways.
    ///
    /// # Errors
    /// As for [`Status::accept`], with nothing changed; else the engine's: the migration that failed is undone, those
    /// before it stay.
    pub async fn up(&self) -> Result<Vec<&'static str>> {
        let mut applied = Vec::new();
        let status = self.status().await?;
        status.accept()?;
        if !status.is_current() {
            while let Some(name) = self.next().await? {
                applied.push(name);
            }
        }
        #[cfg(feature = "postgres")]
        if self.connection.engine() == Engine::Postgres {
            let Self { connection, book, areas, application_role, setting, .. } = self;
            row_security::secure(connection, book, areas, *application_role, *setting).await?;
        }
        Ok(applied)
    }

    /// Undoes, in reverse order, what was applied after the migration `to`; everything if there is none. Only migrations of
    /// the runner's areas are undone. The rows of the tables that are dropped are gone: ask before, with
    /// [`losses`](Self::losses).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if `to` was not applied; [`Unsupported`](ErrorKind::Unsupported) for a migration
    /// that this build does not know; else as for [`Self::up`].
    pub async fn down(&self, to: Option<&str>) -> Result<Vec<&'static str>> {
        let mut undone = Vec::new();
        loop {
            let _turn = lock::turn(self.connection).await;
            let transaction = lock::begin(self.connection).await?;
            let status = self.status_in(&transaction).await?;
            let Some(migration) = self.to_undo(&status, to)?.first().copied() else {
                transaction.rollback().await?;
                return Ok(undone);
            };
            let operation = format!("undo the migration {}", migration.name);
            for statement in (migration.down)(self.connection.engine()) {
                transaction.execute_unprepared(&statement).await.doing(&operation)?;
            }
            bookkeeping::forget(&transaction, migration.name).await?;
            transaction.commit().await.map_err(|error| error.within(operation))?;
            tracing::info!(migration = migration.name, engine = %self.connection.engine(), "undid a migration");
            undone.push(migration.name);
        }
    }

    /// What [`down`](Self::down) would drop.
    ///
    /// # Errors
    /// As for [`down`](Self::down); nothing is changed.
    pub async fn losses(&self, to: Option<&str>) -> Result<Vec<Loss>> {
        let transaction = lock::begin(self.connection).await?;
        let status = self.status_in(&transaction).await?;
        let undone = self.to_undo(&status, to)?;
        #[cfg(feature = "postgres")]
        if self.connection.engine() == Engine::Postgres {
            // Row-level security would hide every row from the owner. It is back when the transaction is rolled back.
            row_security::lift(&transaction, self.book, self.areas).await?;
        }
        let there = bookkeeping::tables(&transaction, self.connection.engine()).await?;
        let mut losses = Vec::new();
        for table in undone.iter().flat_map(|migration| migration.tables) {
            if !there.iter().any(|name| name == table) {
                continue;
            }
            let sql = format!("SELECT count(*) AS \"rows\" FROM \"{table}\"");
            let query = Statement::from_string(self.connection.driver().backend(), sql);
            let operation = format!("count the rows of {table}");
            let row = transaction.query_one_raw(query).await.doing(&operation)?;
            let rows = row.map_or(Ok(0), |row| row.try_get::<i64>("", "rows")).doing(&operation)?;
            losses.push(Loss { table: (*table).to_owned(), rows: rows.unsigned_abs() });
        }
        transaction.rollback().await?;
        Ok(losses)
    }

    /// Applies the first pending migration, if there is one.
    async fn next(&self) -> Result<Option<&'static str>> {
        let engine = self.connection.engine();
        let _turn = lock::turn(self.connection).await;
        let transaction = lock::begin(self.connection).await?;
        let tables = bookkeeping::tables(&transaction, engine).await?;
        let status = self.status_in(&transaction).await?;
        status.accept()?;
        let Some(migration) = status.pending.first().and_then(|name| self.book.get(name)) else {
            transaction.rollback().await?;
            return Ok(None);
        };
        if !tables.iter().any(|table| table == bookkeeping::TABLE) {
            transaction
                .execute_unprepared(&bookkeeping::create(engine))
                .await
                .doing("make the table that remembers migrations")?;
        }
        self.apply(&transaction, migration).await.map_err(|error| {
            let why = format!("the migration {} was undone; those before it stay", migration.name);
            error.context(why)
        })?;
        let position = bookkeeping::read(&transaction).await?.last().map_or(0, |row| row.position) + 1;
        bookkeeping::remember(&transaction, migration, position, self.clock.now()).await?;
        let operation = format!("apply the migration {}", migration.name);
        transaction.commit().await.map_err(|error| error.within(operation))?;
        tracing::info!(migration = migration.name, %engine, "applied a migration");
        Ok(Some(migration.name))
    }

    async fn apply(&self, transaction: &Transaction, migration: &Migration) -> Result<()> {
        let engine = self.connection.engine();
        let operation = format!("apply the migration {}", migration.name);
        #[cfg(feature = "postgres")]
        let secured = engine == Engine::Postgres && migration.areas.iter().any(|area| area.is_per_tenant());
        #[cfg(feature = "postgres")]
        if secured {
            row_security::lift(transaction, self.book, self.areas).await?;
        }
        for statement in (migration.up)(engine) {
            transaction.execute_unprepared(&statement).await.doing(&operation)?;
        }
        if let Some(backfill) = migration.backfill {
            backfill(transaction, self.clock).await.map_err(|error| error.within(operation))?;
        }
        #[cfg(feature = "postgres")]
        if secured {
            row_security::protect(transaction, self.book, self.areas).await?;
        }
        Ok(())
    }

    /// The migrations that were applied after `to`, the last first.
    fn to_undo(&self, status: &Status, to: Option<&str>) -> Result<Vec<&'a Migration>> {
        let refused = |kind, why: String| Error::new(kind, "undo migrations").context(why);
        let after = match to {
            None => 0,
            Some(to) => match status.applied.iter().position(|applied| applied.name == to) {
                Some(at) => at + 1,
                None => {
                    return Err(refused(ErrorKind::NotFound, format!("{to} was not applied to this store"))
                        .hint("`trimaran schema status` lists what was"));
                }
            },
        };
        let mut undone = Vec::new();
        for applied in status.applied[after..].iter().rev() {
            match (&applied.standing, self.book.get(&applied.name)) {
                (Standing::Known, Some(migration)) => {
                    if migration.concerns(self.areas) {
                        undone.push(migration);
                    }
                }
                _ => {
                    let why =
                        format!("{} was applied by another program (Trimaran {})", applied.name, applied.by);
                    return Err(refused(ErrorKind::Unsupported, why)
                        .hint("undo it first with a program that has it in its book"));
                }
            }
        }
        Ok(undone)
    }

    async fn status_in(&self, transaction: &Transaction) -> Result<Status> {
        Status::read(transaction, self.connection.engine(), self.book, self.areas).await
    }
}
