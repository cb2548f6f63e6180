//! Two ordinary entities, as an application writes them.

use sea_orm::ActiveValue::Set;
use sea_orm::prelude::Uuid;
use trimaran_core::clock::{Clock as _, ManualClock};

pub(crate) mod item {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "item")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        #[sea_orm(unique)]
        pub(crate) name: String,
        pub(crate) amount: i64,
        pub(crate) note: Option<String>,
        pub(crate) made: DateTimeWithTimeZone,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(has_many = "super::part::Entity")]
        Part,
    }

    impl Related<super::part::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Part.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod part {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "part")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) item_id: Uuid,
        pub(crate) text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(
            belongs_to = "super::item::Entity",
            from = "Column::ItemId",
            to = "super::item::Column::Id"
        )]
        Item,
    }

    impl Related<super::item::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Item.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An item whose every value follows from its number.
pub(crate) fn item(number: u128) -> item::ActiveModel {
    item::ActiveModel {
        id: Set(Uuid::from_u128(number)),
        name: Set(format!("item {number}")),
        amount: Set(i64::try_from(number).unwrap()),
        note: Set(number.is_multiple_of(2).then(|| "even".to_owned())),
        made: Set(ManualClock::default().now().into()),
    }
}

/// A part of the item with that number.
pub(crate) fn part(number: u128, of: u128) -> part::ActiveModel {
    part::ActiveModel {
        id: Set(Uuid::from_u128(number)),
        item_id: Set(Uuid::from_u128(of)),
        text: Set(format!("part {number}")),
    }
}
