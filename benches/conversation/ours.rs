//! Trimaran's repositories.

use std::sync::Arc;

use trimaran::backends::SqlStore;
use trimaran::core::clock::SystemClock;
use trimaran::core::id::RandomIds;
use trimaran::id::ConversationId;
use trimaran::model::{NewMessage, PieceFilter};
use trimaran::secret::{Keyring, PasswordHasher, PasswordParameters, SecretKey};
use trimaran::{Area, Connection, Conversation, PageRequest, Store as _};
use uuid::Uuid;

use crate::Result;
use crate::data::{self, Said};
use crate::measure::Side;
use crate::schema::{Place, TENANT};

/// The repositories of a tenant.
pub(crate) struct Ours {
    connection: Connection,
    repositories: Conversation,
}

impl Side for Ours {
    type Input = Vec<NewMessage>;

    async fn open(place: &Place) -> Result<Self> {
        let connection = place.connect().await?;
        let passwords = PasswordHasher::new(PasswordParameters::LEAST)?;
        let areas = [Area::Conversation];
        let store =
            SqlStore::new(connection.clone(), &areas, Arc::new(SystemClock), Arc::new(RandomIds), passwords);
        let keyring = Arc::new(Keyring::new(SecretKey::from_bytes(&[7; 32])?, []));
        let repositories = store.of_tenant(TENANT, keyring).conversation()?;
        Ok(Self { connection, repositories })
    }

    fn input(said: &[Said]) -> Self::Input {
        said.iter().map(data::message).collect()
    }

    async fn append_all(&self, input: Self::Input) -> Result<()> {
        self.repositories.pieces.append_all(input).await?;
        Ok(())
    }

    async fn append(&self, input: Self::Input) -> Result<()> {
        for message in input {
            self.repositories.pieces.append(message).await?;
        }
        Ok(())
    }

    async fn read(&self, conversation: Uuid) -> Result<usize> {
        let page = PageRequest::first(1_000)?;
        let page = self.repositories.conversations.messages(ConversationId(conversation), &page).await?;
        Ok(page.items.iter().map(|message| message.pieces.len()).sum())
    }

    async fn find(&self, operation: &str, limit: u32, pages: usize) -> Result<usize> {
        let filter = PieceFilter::default().label("operation", operation);
        let mut request = PageRequest::first(limit)?;
        let mut found = 0;
        for _ in 0..pages {
            let page = self.repositories.pieces.list(&filter, &request).await?;
            found += page.items.len();
            match page.next {
                Some(next) => request = PageRequest::first(limit)?.after(next),
                None => break,
            }
        }
        Ok(found)
    }

    async fn close(self) -> Result<()> {
        self.connection.close().await;
        Ok(())
    }
}
