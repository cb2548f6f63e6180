//! Sessions.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use secrecy::SecretString;
use trimaran_core::id::{SessionId, UserId};
use trimaran_core::model::{IssuedSession, NewSession, Session};
use trimaran_core::repository::Sessions;
use trimaran_core::repository::application::sessions::use_granularity;
use trimaran_core::secret::token;
use trimaran_core::{Result, Timestamp};
use uuid::Uuid;

use super::last_use::{Recorded, judge};
use crate::db_error::Doing as _;
use crate::entity::application::session;
use crate::fetch::Fetch as _;
use crate::fixed::Fixed;
use crate::repository::resources::repository;
use crate::repository::text::Place;
use crate::repository::time;

repository! {
    /// [`Sessions`] over SQL.
    SqlSessions
}

/// What a session's token begins with.
const PREFIX: &str = "session";
/// How many sessions a purge looks at and removes at a time.
const PURGED_AT_A_TIME: u64 = 500;

fn loaded(row: session::Model) -> Result<Session> {
    let Ok(micros) = u64::try_from(row.idle_timeout_micros) else {
        let place = Place { table: "session", column: "idle_timeout_micros", key: row.id };
        return Err(place.corrupt("there is a negative time"));
    };
    Ok(Session {
        id: SessionId(row.id),
        user: UserId(row.user_id),
        idle_timeout: Duration::from_micros(micros),
        created_at: time::loaded(row.created_at),
        last_used_at: time::loaded(row.last_used_at),
        expires_at: time::loaded(row.expires_at),
        revoked_at: row.revoked_at.map(time::loaded),
    })
}

impl SqlSessions {
    async fn used(&self, session: &Session) -> Result<Recorded> {
        let values = session::ActiveModel {
            last_used_at: Set(time::stored(session.last_used_at)),
            idle_expires_at: Set(time::stored(session.idle_expires_at())),
            ..Default::default()
        };
        let changed = session::Entity::update_many()
            .set(values)
            .filter(session::Column::Id.eq(session.id.0))
            .filter(session::Column::RevokedAt.is_null())
            .exec(&self.resources.executor)
            .await
            .doing("record the session's use");
        judge(&self.resources.executor, changed.map(|changed| changed.rows_affected))
    }

    async fn row(&self, operation: &str, id: Uuid) -> Result<Option<session::Model>> {
        static FOUND: Fixed = Fixed::new();
        let query = || session::Entity::find_by_id(id);
        Ok(FOUND.models(&self.resources.executor, vec![id.into()], query, operation).await?.pop())
    }

    async fn revoke_where(&self, operation: &str, which: Condition) -> Result<u64> {
        let now = time::stored(self.resources.clock.now());
        let changed = session::Entity::update_many()
            .set(session::ActiveModel { revoked_at: Set(Some(now)), ..Default::default() })
            .filter(which)
            .filter(session::Column::RevokedAt.is_null())
            .exec(&self.resources.executor)
            .await
            .doing(operation)?;
        Ok(changed.rows_affected)
    }

    /// Sessions after `after`, by id, that may be over: how the engine compares decides only who is looked at.
    async fn candidates(&self, now: Timestamp, after: Option<Uuid>) -> Result<Vec<session::Model>> {
        let mut query = session::Entity::find().filter(
            Condition::any()
                .add(session::Column::IdleExpiresAt.lte(time::stored(now)))
                .add(session::Column::RevokedAt.is_not_null()),
        );
        if let Some(after) = after {
            query = query.filter(session::Column::Id.gt(after));
        }
        query
            .order_by_asc(session::Column::Id)
            .limit(PURGED_AT_A_TIME)
            .fetch_all(&self.resources.executor, "find the sessions that are over")
            .await
    }
}

#[async_trait]
impl Sessions for SqlSessions {
    async fn create(&self, new: NewSession) -> Result<IssuedSession> {
        new.validate()?;
        let now = self.resources.clock.now();
        let id = self.resources.ids.next();
        let issued = token::issue(PREFIX, id)?;
        let micros = new.idle_timeout.as_micros();
        let session = Session {
            id: SessionId(id),
            user: new.user,
            // Whole microseconds, as they are kept.
            idle_timeout: Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)),
            created_at: now,
            last_used_at: now,
            expires_at: now
                + Duration::from_micros(u64::try_from(new.lifetime.as_micros()).unwrap_or(u64::MAX)),
            revoked_at: None,
        };
        let row = session::ActiveModel {
            id: Set(id),
            user_id: Set(new.user.0),
            secret_hash: Set(issued.hash.to_bytes()),
            idle_timeout_micros: Set(i64::try_from(micros).unwrap_or(i64::MAX)),
            created_at: Set(time::stored(now)),
            last_used_at: Set(time::stored(now)),
            idle_expires_at: Set(time::stored(session.idle_expires_at())),
            expires_at: Set(time::stored(session.expires_at)),
            revoked_at: Set(None),
        };
        session::Entity::insert(row)
            .exec_without_returning(&self.resources.executor)
            .await
            .doing("create the session")?;
        Ok(IssuedSession { session, token: issued.text })
    }

    async fn authenticate(&self, token: &SecretString) -> Result<Option<Session>> {
        let Some(given) = token::parse(token).filter(|given| given.prefix == PREFIX) else { return Ok(None) };
        let now = self.resources.clock.now();
        let row = self.row("authenticate the session", given.id).await?;
        let Some(row) = row.filter(|row| given.hash.matches(&row.secret_hash)) else { return Ok(None) };
        let mut session = loaded(row)?;
        if !session.is_good_at(now) {
            return Ok(None);
        }
        if now < session.last_used_at + use_granularity(session.idle_timeout) {
            return Ok(Some(session));
        }
        session.last_used_at = now;
        Ok(match self.used(&session).await? {
            Recorded::Gone => None,
            Recorded::Kept | Recorded::Overtaken => Some(session),
        })
    }

    async fn find(&self, id: SessionId) -> Result<Option<Session>> {
        self.row("find the session", id.0).await?.map(loaded).transpose()
    }

    async fn list_of(&self, user: UserId) -> Result<Vec<Session>> {
        let rows = session::Entity::find()
            .filter(session::Column::UserId.eq(user.0))
            .order_by_asc(session::Column::Id)
            .fetch_all(&self.resources.executor, "list the user's sessions")
            .await?;
        rows.into_iter().map(loaded).collect()
    }

    async fn revoke(&self, id: SessionId) -> Result<bool> {
        let this = Condition::all().add(session::Column::Id.eq(id.0));
        Ok(self.revoke_where("revoke the session", this).await? > 0)
    }

    async fn revoke_all(&self, user: UserId) -> Result<u64> {
        let theirs = Condition::all().add(session::Column::UserId.eq(user.0));
        self.revoke_where("revoke the user's sessions", theirs).await
    }

    async fn purge(&self) -> Result<u64> {
        let now = self.resources.clock.now();
        let (mut after, mut purged) = (None, 0);
        loop {
            let candidates = self.candidates(now, after).await?;
            let Some(last) = candidates.last() else { return Ok(purged) };
            after = Some(last.id);
            let sessions = candidates.into_iter().map(loaded).collect::<Result<Vec<_>>>()?;
            // What is over stays over, so that nothing can be removed here that came back meanwhile.
            let over: Vec<_> = sessions.iter().filter(|s| !s.is_good_at(now)).map(|s| s.id.0).collect();
            if over.is_empty() {
                continue;
            }
            purged += session::Entity::delete_many()
                .filter(session::Column::Id.is_in(over))
                .exec(&self.resources.executor)
                .await
                .doing("remove the sessions that are over")?
                .rows_affected;
        }
    }
}
