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

/// Where a tenant's data is, if not where the configuration's `stores` says: in the application store.
pub mod tenant_home {
    use sea_orm::entity::prelude::*;

    /// A tenant's place.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenant_home")]
    pub struct Model {
        /// The tenant.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The place's name in the configuration.
        pub place: String,
    }

    /// It refers to nothing.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is being done to a tenant, so that it can be finished after a crash: in the application store.
pub mod tenant_operation {
    use sea_orm::entity::prelude::*;

    /// An operation that is not finished.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenant_operation")]
    pub struct Model {
        /// The tenant.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Which operation.
        pub kind: String,
        /// How far it has come.
        pub step: String,
        /// What the user was called before, if that changes.
        pub from_user_name: Option<String>,
        /// The stem of the files' names before, if that changes.
        pub from_place: Option<String>,
        /// When it began.
        pub started_at: DateTimeWithTimeZone,
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
