//! Plans as text: written for people to edit, read back and held against the source.

use trimaran_backends::catalog::Catalog;
use trimaran_core::{Engine, Error, ErrorKind, Result};

use super::{Plan, VERSION, fingerprint};

impl Plan {
    /// The plan as TOML, with a heading for people.
    ///
    /// # Errors
    /// If a name can't be written as TOML.
    pub fn to_toml(&self) -> Result<String> {
        let body = toml::to_string(self)
            .map_err(|e| Error::new(ErrorKind::Invalid, "write the plan as TOML").source(e))?;
        let lossy = match self.lossy() {
            none if none.is_empty() => String::new(),
            lossy => format!("# lossy: values with a hazard are changed in {}\n", lossy.join(", ")),
        };
        Ok(format!(
            "# A migration plan. Edit it and give it back with --plan.\n\
             # A table or column whose section is taken out does not move; `target` renames; `type` is the target's type;\n\
             # `on_hazard` is reject, quarantine, escape, as_text, as_bytes, or replace with `replace` = a normalisation.\n\
             # A column with `generated` is computed by that on the target; without the line its values move. A `check` is added after\n\
             # the rows. A `view` is made if its `create` is true, from its `sql`, which is the source's until you edit it.\n\
             # The fingerprint ties the plan to the source's schema.\n{lossy}\n{body}"
        ))
    }

    /// Reads a plan that Trimaran itself wrote into a journal.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is none, or of a version that this program does not read.
    pub fn from_toml_unchecked(text: &str) -> Result<Self> {
        let plan: Plan = toml::from_str(text)
            .map_err(|e| Error::new(ErrorKind::Corrupt, "read the plan in the journal").source(e))?;
        if plan.version != VERSION {
            return Err(Error::new(ErrorKind::Unsupported, "read the plan in the journal")
                .context(format!("it is of version {}, this program reads {VERSION}", plan.version)));
        }
        Ok(plan)
    }

    /// Reads a plan that is to be held against the one of a run.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it is none, or a policy of it can do nothing for its column.
    pub fn from_toml_for_retry(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::new(ErrorKind::Configuration, "use the plan").context(why);
        let mut plan: Plan = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        plan.settle_policies()?;
        Ok(plan)
    }

    /// Reads a plan and holds it against the source that it is to be used on.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it is no plan, is for other engines, or names what the source does not have;
    /// [`ErrorKind::Changed`] if the source's schema is another than when the plan was made.
    pub fn from_toml(text: &str, source: &Catalog, target: Engine) -> Result<Self> {
        let wrong = |why: String| Error::new(ErrorKind::Configuration, "use the plan").context(why);
        let again = "make a new plan with `trimaran migrate plan -o FILE` and carry your edits over";
        let mut plan: Plan = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        if plan.version != VERSION {
            return Err(
                wrong(format!("it is of version {}, this program reads {VERSION}", plan.version)).hint(again)
            );
        }
        if plan.source != source.engine || plan.target != target {
            return Err(wrong(format!("it moves from {} to {}", plan.source, plan.target))
                .context(format!("the command from {} to {target}", source.engine)));
        }
        if plan.fingerprint != fingerprint(source) {
            return Err(Error::new(ErrorKind::Changed, "use the plan")
                .context("the source's schema is not the one it was made for")
                .hint(again));
        }
        for table in &plan.tables {
            let origin = source.tables.iter().find(|t| t.name == table.source_name());
            let Some(origin) = origin else {
                return Err(wrong(format!("the source has no table {}", table.source_name())));
            };
            if let Some(column) = table.columns.iter().find(|c| origin.column(&c.name).is_none()) {
                return Err(wrong(format!("table {} has no column {}", table.source_name(), column.name)));
            }
            let keyed = [&table.primary_key].into_iter().chain(table.unique.iter().map(|k| &k.columns));
            if let Some(column) = keyed.flatten().find(|c| table.position(c).is_none()) {
                return Err(wrong(format!(
                    "a key of table {} needs column {column}, which the plan leaves out",
                    table.source_name()
                ))
                .hint("take the key out of the plan too"));
            }
            for key in &table.foreign_keys {
                let parent = plan.table(&key.references_schema, &key.references);
                let whole = parent.is_some_and(|p| p.positions(&key.references_columns).is_some())
                    && table.positions(&key.columns).is_some();
                if !whole {
                    return Err(wrong(format!(
                        "a foreign key of table {} refers to {} ({}), which the plan leaves out",
                        table.source_name(),
                        key.references,
                        key.references_columns.join(", ")
                    ))
                    .hint("take the foreign key out of the plan too"));
                }
            }
        }
        plan.settle_policies()?;
        plan.checked_as_they_are()?;
        let made: Vec<String> = plan.views.iter().filter(|v| v.create).map(|v| v.name.clone()).collect();
        plan.not_moved.retain(|thing| thing.kind != "view" || !made.contains(&thing.name));
        Ok(plan)
    }
}
