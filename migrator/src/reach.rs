//! Databases as the migrator opens them: every session of theirs ends its statement when somebody asks to stop.

use trimaran_backends::catalog::{Table, TableName};
use trimaran_backends::{
    Catalog, Chunk, Database, Dialect, Identity, Interrupter, Location, OpenOptions, Read, Session,
};
use trimaran_core::{LogicalType, Result, Value};

use crate::interrupt::Interruptible;

/// Opens the database at `location`.
///
/// # Errors
/// As [`trimaran_backends::open()`].
pub(crate) fn open(location: &Location, options: OpenOptions) -> Result<Box<dyn Database>> {
    let database = trimaran_backends::open(location, options)?;
    #[cfg(feature = "testing")]
    let database = if options.access == trimaran_backends::Access::Target {
        crate::fault::injected(database)?
    } else {
        database
    };
    let interruptible = Interruptible::new(database.interrupter());
    Ok(Box::new(Stoppable { _interruptible: interruptible, database }))
}

struct Stoppable {
    _interruptible: Interruptible,
    database: Box<dyn Database>,
}

#[deny(clippy::missing_trait_methods)]
impl Database for Stoppable {
    fn engine(&self) -> trimaran_core::Engine {
        self.database.engine()
    }

    fn dialect(&self) -> &'static dyn Dialect {
        self.database.dialect()
    }

    fn location(&self) -> &Location {
        self.database.location()
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        let mut session = self.database.session()?;
        let interruptible = Interruptible::new(session.interrupter()?);
        Ok(Box::new(StoppableSession { _interruptible: interruptible, session }))
    }

    fn identity(&self) -> Result<Identity> {
        self.database.identity()
    }

    fn catalog(&self, schema: Option<&str>) -> Result<Catalog> {
        self.database.catalog(schema)
    }

    fn encode_row(&self, types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
        self.database.encode_row(types, row, out)
    }

    fn interrupter(&self) -> Interrupter {
        self.database.interrupter()
    }
}

/// The order of the fields matters: nothing ends the statements of a session that is being closed.
struct StoppableSession {
    _interruptible: Interruptible,
    session: Box<dyn Session>,
}

#[deny(clippy::missing_trait_methods)]
impl Session for StoppableSession {
    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.session.execute(sql)
    }

    fn query(&mut self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>> {
        self.session.query(sql, parameters)
    }

    fn begin(&mut self) -> Result<()> {
        self.session.begin()
    }

    fn commit(&mut self) -> Result<()> {
        self.session.commit()
    }

    fn rollback(&mut self) -> Result<()> {
        self.session.rollback()
    }

    fn try_lock(&mut self, name: &str) -> Result<bool> {
        self.session.try_lock(name)
    }

    fn chunks(&mut self, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
        self.session.chunks(table, rows)
    }

    fn read(&mut self, read: &Read<'_>, on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> {
        self.session.read(read, on_row)
    }

    fn write(&mut self, table: &TableName, columns: &[(String, LogicalType)], rows: &[u8]) -> Result<u64> {
        self.session.write(table, columns, rows)
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[(String, LogicalType)],
        next: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<u64> {
        self.session.load(table, columns, next)
    }

    fn interrupter(&mut self) -> Result<Interrupter> {
        self.session.interrupter()
    }
}
