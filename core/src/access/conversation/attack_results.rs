//! Results of attacks, asking before each call.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::AttackResultId;
use crate::model::conversation::{AttackResult, AttackResultFilter, NewAttackResult};
use crate::repository::conversation::AttackResults;
use crate::{Page, PageRequest, Result};

guarded!(AttackResults, AttackResults);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AttackResults for Guarded {
    async fn add(&self, results: Vec<NewAttackResult>) -> Result<Vec<AttackResult>> {
        self.check(Verb::Create, Target::All)?;
        self.inner.add(results).await
    }

    async fn find(&self, id: AttackResultId) -> Result<Option<AttackResult>> {
        self.check(Verb::Read, Target::AttackResult(id))?;
        self.inner.find(id).await
    }

    async fn update(&self, result: &AttackResult) -> Result<AttackResult> {
        self.check(Verb::Update, Target::AttackResult(result.id))?;
        self.inner.update(result).await
    }

    async fn list(&self, filter: &AttackResultFilter, page: &PageRequest) -> Result<Page<AttackResult>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(filter, page).await
    }

    async fn delete(&self, id: AttackResultId) -> Result<bool> {
        self.check(Verb::Delete, Target::AttackResult(id))?;
        self.inner.delete(id).await
    }

    async fn attack_classes(&self) -> Result<Vec<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.attack_classes().await
    }

    async fn converter_classes(&self) -> Result<Vec<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.converter_classes().await
    }

    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.labels().await
    }
}
