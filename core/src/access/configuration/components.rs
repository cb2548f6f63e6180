//! Components, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::ComponentId;
use crate::model::{Component, ComponentFilter, ComponentKind, NewComponent, Parameters, TestOutcome};
use crate::repository::Components;
use crate::{Page, PageRequest, Result};

guarded!(Components, Components);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Components for Guarded {
    async fn create(&self, component: NewComponent) -> Result<Component> {
        self.check(Verb::Create, Target::All)?;
        self.inner.create(component).await
    }

    async fn find(&self, id: ComponentId) -> Result<Option<Component>> {
        self.check(Verb::Read, Target::Component(id))?;
        self.inner.find(id).await
    }

    async fn find_by_name(&self, kind: ComponentKind, name: &str) -> Result<Option<Component>> {
        self.check(Verb::Read, Target::Named(name))?;
        self.inner.find_by_name(kind, name).await
    }

    async fn update(&self, component: &Component) -> Result<Component> {
        self.check(Verb::Update, Target::Component(component.id))?;
        self.inner.update(component).await
    }

    async fn set_status(&self, id: ComponentId, status: &str) -> Result<Component> {
        self.check(Verb::Update, Target::Component(id))?;
        self.inner.set_status(id, status).await
    }

    async fn record_test(&self, id: ComponentId, outcome: TestOutcome) -> Result<Component> {
        self.check(Verb::Update, Target::Component(id))?;
        self.inner.record_test(id, outcome).await
    }

    async fn delete(&self, id: ComponentId) -> Result<bool> {
        self.check(Verb::Delete, Target::Component(id))?;
        self.inner.delete(id).await
    }

    async fn list(&self, filter: &ComponentFilter, page: &PageRequest) -> Result<Page<Component>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(filter, page).await
    }

    async fn reveal(&self, id: ComponentId) -> Result<Option<Parameters>> {
        self.check(Verb::Reveal, Target::Component(id))?;
        self.inner.reveal(id).await
    }

    async fn rotate_secrets(&self) -> Result<u64> {
        self.check(Verb::Rotate, Target::All)?;
        self.inner.rotate_secrets().await
    }
}
