//! Bakers, their cakes and the cakes' fruits: what the tour is made among.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, Linked, Set};

use super::*;

pub(crate) mod baker {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "baker")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(has_many = "super::cake::Entity")]
        Cake,
    }

    impl Related<super::cake::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Cake.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// The fruits of a baker's cakes.
    pub(crate) struct ToFruit;

    impl Linked for ToFruit {
        type FromEntity = Entity;
        type ToEntity = super::fruit::Entity;

        fn link(&self) -> Vec<RelationDef> {
            vec![Relation::Cake.def(), super::cake::Relation::Fruit.def()]
        }
    }
}

pub(crate) mod cake {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cake")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i32,
        #[sea_orm(unique)]
        pub(crate) name: String,
        pub(crate) baker_id: Option<i32>,
        pub(crate) price: i64,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(
            belongs_to = "super::baker::Entity",
            from = "Column::BakerId",
            to = "super::baker::Column::Id"
        )]
        Baker,
        #[sea_orm(has_many = "super::fruit::Entity")]
        Fruit,
    }

    impl Related<super::baker::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Baker.def()
        }
    }

    impl Related<super::fruit::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Fruit.def()
        }
    }

    #[async_trait::async_trait]
    impl ActiveModelBehavior for ActiveModel {
        async fn before_save<C: ConnectionTrait>(self, _: &C, _: bool) -> Result<Self, DbErr> {
            match &self.price {
                Set(price) if *price < 0 => Err(DbErr::Custom("a cake costs something".to_owned())),
                _ => Ok(self),
            }
        }
    }
}

pub(crate) mod fruit {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fruit")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i32,
        pub(crate) name: String,
        pub(crate) cake_id: Option<i32>,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(
            belongs_to = "super::cake::Entity",
            from = "Column::CakeId",
            to = "super::cake::Column::Id"
        )]
        Cake,
    }

    impl Related<super::cake::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Cake.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) fn cake(id: i32, name: &str, baker_id: Option<i32>, price: i64) -> cake::ActiveModel {
    cake::Model { id, name: name.to_owned(), baker_id, price }.into_active_model().reset_all()
}

pub(crate) fn fruit(id: i32, name: &str, cake_id: Option<i32>) -> fruit::ActiveModel {
    fruit::Model { id, name: name.to_owned(), cake_id }.into_active_model().reset_all()
}

/// Two bakers; four cakes, one without a baker; four fruits, one without a cake.
pub(crate) async fn shop() -> Fixture {
    let fixture = Fixture::new().await;
    fixture
        .run(
            "CREATE TABLE baker (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
             CREATE TABLE cake (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, baker_id INTEGER,
                                price BIGINT NOT NULL);
             CREATE TABLE fruit (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, cake_id INTEGER);
             INSERT INTO baker VALUES (1, 'Ada'), (2, 'Bo')",
        )
        .await;
    let cakes = [
        cake(1, "apple", Some(1), 10),
        cake(2, "berry", Some(1), 20),
        cake(3, "cheese", Some(2), 30),
        cake(4, "date", None, 40),
    ];
    cake::Entity::insert_many(cakes).exec(&fixture.db).await.unwrap();
    let fruits = [
        fruit(1, "apple", Some(1)),
        fruit(2, "raisin", Some(1)),
        fruit(3, "berry", Some(2)),
        fruit(4, "kiwi", None),
    ];
    fruit::Entity::insert_many(fruits).exec(&fixture.db).await.unwrap();
    fixture
}

pub(crate) fn names<'a>(models: impl IntoIterator<Item = &'a cake::Model>) -> Vec<&'a str> {
    models.into_iter().map(|model| model.name.as_str()).collect()
}
