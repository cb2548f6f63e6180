//! The tables about tenants, as SeaORM sees them.

/// The catalogue: one row per tenant, in the application store.
pub mod tenant {
    use sea_orm::entity::prelude::*;

    /// A tenant.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenant")]
    pub struct Model {
        /// Its id: `tenant_id` in every table of the per-tenant areas.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The user whose data it is, exactly.
        #[sea_orm(unique)]
        pub user_name: String,
        /// The stem of its files' names.
        #[sea_orm(unique)]
        pub place: String,
        /// How the stem was made.
        pub naming: String,
        /// Which key it was made with: a digest of it.
        pub key_id: String,
        /// When it was made.
        pub created_at: DateTimeWithTimeZone,
    }

    /// It refers to nothing.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Whose a file is: its only row says so.
pub mod tenant_mark {
    use sea_orm::entity::prelude::*;

    /// The mark.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenant_mark")]
    pub struct Model {
        /// The tenant.
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: Uuid,
        /// When the file was made.
        pub created_at: DateTimeWithTimeZone,
    }

    /// It refers to nothing.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
