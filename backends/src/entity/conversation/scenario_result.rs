//! Results of scenarios.

use sea_orm::entity::prelude::*;

/// The result of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scenario_result")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The name of the scenario.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What it does.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// The version of its definition.
    pub scenario_version: i32,
    /// The version of what runs it.
    #[sea_orm(column_type = "Text", nullable)]
    pub software_version: Option<String>,
    /// The scenario, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub identifier: Option<String>,
    /// What is attacked, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub target_identifier: Option<String>,
    /// What decides, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub scorer_identifier: Option<String>,
    /// Where its run is.
    #[sea_orm(column_type = "Text")]
    pub state: String,
    /// How often it was begun.
    pub tries: i64,
    /// What kind of error ended it.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_type: Option<String>,
    /// What the error said.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    /// What else is known of it, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub metadata: String,
    /// Names to show, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub display_groups: String,
    /// Counted up with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeWithTimeZone,
    /// When its run was last over.
    pub completed_at: Option<DateTimeWithTimeZone>,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
