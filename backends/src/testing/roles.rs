//! Two roles on a test database, as a careful installation has them: one that owns the tables, one for the application.

use std::ops::Deref;

use super::postgres::TestDatabase;
use super::server::give_up;
use super::{admin, password};
use crate::Location;

/// The roles' password: no secret.
const PASSWORD: &str = "trimaran";

/// An owner and an application's role, neither a superuser, on a database that is borrowed or shared. Dropped, they and
/// what they own are gone.
#[derive(Debug)]
pub struct TestRoles<D: Deref<Target = TestDatabase>> {
    database: D,
    owner: String,
    application: String,
}

impl<D: Deref<Target = TestDatabase>> TestRoles<D> {
    /// Makes both; the schema `public` becomes the owner's.
    ///
    /// # Panics
    /// If they can't be made.
    pub fn create(database: D) -> Self {
        let name = database.name();
        let (owner, application) = (format!("{name}_owner"), format!("{name}_app"));
        let password = password::verifier(PASSWORD);
        database.execute(&format!(
            "CREATE ROLE {owner} LOGIN PASSWORD '{password}'; CREATE ROLE {application} LOGIN PASSWORD '{password}'; \
             ALTER SCHEMA public OWNER TO {owner}; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ));
        Self { database, owner, application }
    }

    /// The owner's name.
    pub fn owner_name(&self) -> &str {
        &self.owner
    }

    /// The name of the application's role.
    pub fn application_name(&self) -> &str {
        &self.application
    }

    /// The database as its owner reaches it, password included.
    pub fn owner(&self) -> Location {
        Self::location(&self.database, &self.owner)
    }

    /// The database as the application reaches it, password included.
    pub fn application(&self) -> Location {
        Self::location(&self.database, &self.application)
    }

    /// A [copy](TestDatabase::copy) of the database as the application reaches it.
    pub fn application_of(&self, copy: &TestDatabase) -> Location {
        Self::location(copy, &self.application)
    }

    fn location(database: &TestDatabase, role: &str) -> Location {
        let parsed = url::Url::parse(database.url()).ok().and_then(|mut url| {
            url.set_username(role).ok()?;
            url.set_password(Some(PASSWORD)).ok()?;
            Some(url.to_string())
        });
        match parsed {
            Some(url) => Location::parse(&url).unwrap_or_else(give_up),
            None => panic!("the test database's URL takes no other user"),
        }
    }
}

impl<D: Deref<Target = TestDatabase>> Drop for TestRoles<D> {
    fn drop(&mut self) {
        // Best effort, as for the database.
        for role in [&self.application, &self.owner] {
            let _dropped = admin::value(self.database.url(), &format!("DROP OWNED BY {role} CASCADE"));
            let _dropped = admin::value(self.database.url(), &format!("DROP ROLE IF EXISTS {role}"));
        }
    }
}
