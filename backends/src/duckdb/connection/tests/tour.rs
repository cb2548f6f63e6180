//! SeaORM's own feature list, feature by feature, on a DuckDB file.

use futures_util::TryStreamExt as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{
    Alias, CommonTableExpression, Expr, Func, OnConflict, Query, UnionType, WithClause,
};
use sea_orm::{
    ActiveValue::NotSet, Condition, DbBackend, DbErr, DerivePartialModel, FromQueryResult,
    IntoActiveModel as _, JoinType, Linked, Order, QueryOrder as _, QuerySelect as _, QueryTrait as _, Set,
    Statement, TransactionError, TransactionTrait as _, TryInsertResult,
};

use super::*;

mod baker {
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

mod cake {
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

mod fruit {
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

fn cake(id: i32, name: &str, baker_id: Option<i32>, price: i64) -> cake::ActiveModel {
    cake::Model { id, name: name.to_owned(), baker_id, price }.into_active_model().reset_all()
}

fn fruit(id: i32, name: &str, cake_id: Option<i32>) -> fruit::ActiveModel {
    fruit::Model { id, name: name.to_owned(), cake_id }.into_active_model().reset_all()
}

/// Two bakers; four cakes, one without a baker; four fruits, one without a cake.
async fn shop() -> Fixture {
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

fn names<'a>(models: impl IntoIterator<Item = &'a cake::Model>) -> Vec<&'a str> {
    models.into_iter().map(|model| model.name.as_str()).collect()
}

#[tokio::test]
async fn a_model_is_inserted_found_updated_saved_and_deleted() {
    let Fixture { db, .. } = &shop().await;
    let made = cake(5, "egg", None, 5).insert(db).await.unwrap();
    assert_eq!(cake::Entity::find_by_id(5).one(db).await.unwrap(), Some(made.clone()));
    let mut changed = made.into_active_model();
    changed.price = Set(6);
    assert_eq!(changed.clone().update(db).await.unwrap().price, 6);
    changed.name = Set("eggs".to_owned());
    let saved = changed.save(db).await.unwrap();
    assert_eq!(saved.name.clone().unwrap(), "eggs");
    assert_eq!(saved.delete(db).await.unwrap().rows_affected, 1);
    assert_eq!(cake::Entity::find_by_id(5).one(db).await.unwrap(), None);
    let missing = cake(9, "none", None, 1).update(db).await.unwrap_err();
    assert_eq!(kind(missing), ErrorKind::NotFound);
    assert!(cake(6, "free", None, -1).insert(db).await.is_err());
    assert_eq!(cake::Entity::delete_by_id(4).exec(db).await.unwrap().rows_affected, 1);
}

#[tokio::test]
async fn many_are_inserted_updated_and_deleted_at_once() {
    let Fixture { db, .. } = &shop().await;
    let many = (100..1_100).map(|id| cake(id, &format!("c{id}"), None, 1));
    let done = cake::Entity::insert_many(many).exec_without_returning(db).await.unwrap();
    assert_eq!(done, 1_000);
    let returned = cake::Entity::insert_many([cake(50, "x", None, 1), cake(51, "y", None, 2)])
        .exec_with_returning(db)
        .await
        .unwrap();
    assert_eq!(names(&returned), ["x", "y"]);
    let dearer = cake::Entity::update_many()
        .col_expr(cake::Column::Price, sea_orm::ExprTrait::add(Expr::col(cake::Column::Price), 1))
        .filter(cake::Column::Id.gte(100));
    assert_eq!(dearer.exec(db).await.unwrap().rows_affected, 1_000);
    let updated = cake::Entity::update_many()
        .col_expr(cake::Column::Price, Expr::value(7i64))
        .filter(cake::Column::Id.eq(50))
        .exec_with_returning(db)
        .await
        .unwrap();
    assert_eq!(updated[0].price, 7);
    let gone = cake::Entity::delete_many().filter(cake::Column::Price.eq(2)).exec(db).await.unwrap();
    assert_eq!(gone.rows_affected, 1_001);
}

#[tokio::test]
async fn a_conflict_is_ignored_or_turned_into_an_update() {
    let Fixture { db, .. } = &shop().await;
    let again = || cake(1, "apple", None, 99);
    let plain = again().insert(db).await.unwrap_err();
    // SeaORM's own `sql_err` knows no DuckDB: the kind says it.
    assert_eq!(kind(plain), ErrorKind::Conflict);
    let nothing = OnConflict::column(cake::Column::Id).do_nothing().to_owned();
    let tried =
        cake::Entity::insert(again()).on_conflict_do_nothing_on([cake::Column::Id]).exec(db).await.unwrap();
    assert!(matches!(tried, TryInsertResult::Conflicted));
    let count = cake::Entity::insert(again()).on_conflict(nothing).exec_without_returning(db).await.unwrap();
    assert_eq!(count, 0);
    let update = OnConflict::column(cake::Column::Id).update_column(cake::Column::Price).to_owned();
    let updated = cake::Entity::insert(again()).on_conflict(update).exec_with_returning(db).await.unwrap();
    assert_eq!((updated.price, updated.baker_id), (99, Some(1)));
}

#[tokio::test]
async fn related_models_are_found_in_every_way() {
    let Fixture { db, .. } = &shop().await;
    let apple = cake::Entity::find_by_id(1).one(db).await.unwrap().unwrap();
    let fruits = apple.find_related(fruit::Entity).order_by_asc(fruit::Column::Id).all(db).await.unwrap();
    assert_eq!(fruits.len(), 2);
    let also = cake::Entity::find()
        .find_also_related(baker::Entity)
        .order_by_asc(cake::Column::Id)
        .all(db)
        .await
        .unwrap();
    assert_eq!(also[0].1.as_ref().unwrap().name, "Ada");
    assert_eq!(also[3].1, None);
    let with = cake::Entity::find()
        .find_with_related(fruit::Entity)
        .order_by_asc(cake::Column::Id)
        .all(db)
        .await
        .unwrap();
    assert_eq!(with.iter().map(|(_, fruits)| fruits.len()).collect::<Vec<_>>(), [2, 1, 0, 0]);
    let linked = baker::Entity::find().find_also_linked(baker::ToFruit).all(db).await.unwrap();
    assert_eq!(linked.iter().filter(|(_, fruit)| fruit.is_some()).count(), 3);
    let ada = baker::Entity::find_by_id(1).one(db).await.unwrap().unwrap();
    assert_eq!(ada.find_linked(baker::ToFruit).count(db).await.unwrap(), 3);
    let bakers = baker::Entity::find().order_by_asc(baker::Column::Id).all(db).await.unwrap();
    let loaded = sea_orm::LoaderTrait::load_many(&bakers, cake::Entity, db).await.unwrap();
    assert_eq!(loaded.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    let cakes = cake::Entity::find().order_by_asc(cake::Column::Id).all(db).await.unwrap();
    let loaded = sea_orm::LoaderTrait::load_one(&cakes, baker::Entity, db).await.unwrap();
    assert_eq!(loaded.iter().flatten().count(), 3);
}

#[derive(Debug, PartialEq, FromQueryResult)]
struct Sales {
    name: String,
    cakes: i64,
    total: i64,
    average: f64,
}

#[tokio::test]
async fn joins_group_and_aggregate() {
    let Fixture { db, .. } = &shop().await;
    let sales = |least: i64| {
        baker::Entity::find()
            .select_only()
            .column(baker::Column::Name)
            .column_as(cake::Column::Id.count(), "cakes")
            .column_as(cake::Column::Price.sum(), "total")
            .column_as(Expr::expr(Func::avg(Expr::col((cake::Entity, cake::Column::Price)))), "average")
            .join(JoinType::LeftJoin, baker::Relation::Cake.def())
            .group_by(baker::Column::Name)
            .having(sea_orm::ExprTrait::gte(cake::Column::Id.count(), least))
            .order_by_asc(baker::Column::Name)
            .into_model::<Sales>()
    };
    let row = |name: &str, cakes, total, average| Sales { name: name.to_owned(), cakes, total, average };
    assert_eq!(sales(1).all(db).await.unwrap(), [row("Ada", 2, 30, 15.0), row("Bo", 1, 30, 30.0)]);
    assert_eq!(sales(2).all(db).await.unwrap().len(), 1);
    let right = cake::Entity::find().join(JoinType::InnerJoin, cake::Relation::Fruit.def()).distinct();
    assert_eq!(right.count(db).await.unwrap(), 2);
    let first_of_each: Vec<(i32, String)> = cake::Entity::find()
        .select_only()
        .columns([cake::Column::BakerId, cake::Column::Name])
        .filter(cake::Column::BakerId.is_not_null())
        .distinct_on([cake::Column::BakerId])
        .order_by_asc(cake::Column::BakerId)
        .order_by_desc(cake::Column::Name)
        .into_tuple()
        .all(db)
        .await
        .unwrap();
    assert_eq!(first_of_each, [(1, "berry".to_owned()), (2, "cheese".to_owned())]);
}

#[derive(Debug, PartialEq, DerivePartialModel)]
#[sea_orm(entity = "cake::Entity")]
struct Priced {
    price: i64,
    #[sea_orm(from_col = "name")]
    called: String,
}

#[tokio::test]
async fn rows_become_tuples_models_partial_models_and_json() {
    let fixture = shop().await;
    let db = &fixture.db;
    let first = || cake::Entity::find().filter(cake::Column::Id.eq(1));
    let (price, name, baker): (i64, String, Option<i32>) = first()
        .select_only()
        .columns([cake::Column::Price, cake::Column::Name, cake::Column::BakerId])
        .into_tuple()
        .one(db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((price, name.as_str(), baker), (10, "apple", Some(1)));
    let partial = first().into_partial_model::<Priced>().one(db).await.unwrap();
    assert_eq!(partial, Some(Priced { price: 10, called: "apple".to_owned() }));
    let named = Connection::new(fixture.duckdb.named_rows());
    let json = first().into_json().one(&named).await.unwrap().unwrap();
    assert_eq!(json, serde_json::json!({"id": 1, "name": "apple", "baker_id": 1, "price": 10}));
    let custom: Option<(String,)> = first()
        .select_only()
        .expr(Expr::cust_with_values("upper(\"name\") || $1", ["!"]))
        .into_tuple()
        .one(db)
        .await
        .unwrap();
    assert_eq!(custom, Some(("APPLE!".to_owned(),)));
}

#[tokio::test]
async fn pages_cursors_counts_and_streams_give_every_row_once() {
    let Fixture { db, .. } = &shop().await;
    let ordered = || cake::Entity::find().order_by_asc(cake::Column::Id);
    let pages = ordered().paginate(db, 3);
    let totals = pages.num_items_and_pages().await.unwrap();
    assert_eq!((totals.number_of_items, totals.number_of_pages), (4, 2));
    assert_eq!(names(&pages.fetch_page(1).await.unwrap()), ["date"]);
    let streamed: Vec<Vec<_>> = ordered().paginate(db, 3).into_stream().try_collect().await.unwrap();
    assert_eq!(streamed.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    let mut cursor = cake::Entity::find().cursor_by(cake::Column::Id);
    assert_eq!(names(&cursor.after(1).first(2).all(db).await.unwrap()), ["berry", "cheese"]);
    let mut both = cake::Entity::find().cursor_by((cake::Column::Price, cake::Column::Id));
    assert_eq!(names(&both.before((30i64, 3)).last(1).all(db).await.unwrap()), ["berry"]);
    let rows: Vec<cake::Model> = ordered().stream(db).await.unwrap().try_collect().await.unwrap();
    assert_eq!(names(&rows), ["apple", "berry", "cheese", "date"]);
    let in_transaction = db.transaction().await.unwrap();
    let rows: Vec<cake::Model> =
        ordered().stream(&in_transaction).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 4);
    in_transaction.commit().await.unwrap();
    assert!(ordered().exists(db).await.unwrap());
    assert_eq!(names(&ordered().limit(2).offset(1).all(db).await.unwrap()), ["berry", "cheese"]);
}

#[tokio::test]
async fn conditions_subqueries_unions_and_common_tables_work() {
    let Fixture { db, .. } = &shop().await;
    let either = Condition::any()
        .add(cake::Column::Name.starts_with("ap"))
        .add(Condition::all().add(cake::Column::Price.gt(30)).add(cake::Column::BakerId.is_null()));
    let found = cake::Entity::find().filter(either).order_by_asc(cake::Column::Id).all(db).await.unwrap();
    assert_eq!(names(&found), ["apple", "date"]);
    let fruity = fruit::Entity::find()
        .select_only()
        .column(fruit::Column::CakeId)
        .filter(fruit::Column::CakeId.is_not_null());
    let within = cake::Entity::find().filter(cake::Column::Id.in_subquery(fruity.into_query()));
    assert_eq!(within.count(db).await.unwrap(), 2);
    assert_eq!(
        cake::Entity::find().filter(cake::Column::Id.is_in(Vec::<i32>::new())).count(db).await.unwrap(),
        0
    );
    let mut union = Query::select().column(cake::Column::Name).from(cake::Entity).to_owned();
    union.union(
        UnionType::Distinct,
        Query::select().column(fruit::Column::Name).from(fruit::Entity).to_owned(),
    );
    assert_eq!(db.query_all(&union).await.unwrap().len(), 6);
    let table = Alias::new("dear");
    let dear = cake::Entity::find().filter(cake::Column::Price.gte(30)).into_query();
    let common = CommonTableExpression::new().query(dear).table_name(table.clone()).to_owned();
    let with = Query::select()
        .expr_as(sea_orm::ExprTrait::count(Expr::col(cake::Column::Id)), "n")
        .from(table)
        .to_owned()
        .with(WithClause::new().cte(common).to_owned());
    let row = db.query_one(&with).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 2);
    let case = Expr::case(sea_orm::ExprTrait::gt(Expr::col(cake::Column::Price), 20), Expr::val("dear"))
        .finally(Expr::val("cheap"));
    let mut cases = Query::select();
    cases.expr_as(case, "c").from(cake::Entity).order_by(cake::Column::Id, Order::Desc).limit(1);
    assert_eq!(db.query_one(&cases).await.unwrap().unwrap().try_get::<String>("", "c").unwrap(), "dear");
}

#[tokio::test]
async fn transactions_commit_roll_back_and_nest() {
    let Fixture { db, .. } = &shop().await;
    let done: Result<i32, TransactionError<DbErr>> = sea_orm::TransactionTrait::transaction(db, |inner| {
        Box::pin(async move {
            cake(10, "ten", None, 1).insert(inner).await?;
            let nested = inner.begin().await?;
            cake(11, "eleven", None, 1).insert(&nested).await?;
            nested.commit().await.map_err(crate::db_error::to_db_err)?;
            Ok(7)
        })
    })
    .await;
    assert_eq!(done.unwrap(), 7);
    assert_eq!(cake::Entity::find().count(db).await.unwrap(), 6);
    let failed: Result<(), TransactionError<DbErr>> = sea_orm::TransactionTrait::transaction(db, |inner| {
        Box::pin(async move {
            cake(12, "twelve", None, 1).insert(inner).await?;
            Err(DbErr::Custom("no".to_owned()))
        })
    })
    .await;
    assert!(failed.is_err());
    let doomed = db.begin().await.unwrap();
    let nested = doomed.begin().await.unwrap();
    cake(13, "thirteen", None, 1).insert(&nested).await.unwrap();
    nested.rollback().await.unwrap();
    assert_eq!(doomed.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(cake::Entity::find().count(db).await.unwrap(), 6);
}

#[tokio::test]
async fn raw_statements_take_parameters_and_return_rows() {
    let Fixture { db, .. } = &shop().await;
    let raw = |sql: &str, values: Vec<sea_orm::Value>| {
        Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
    };
    let found = cake::Entity::find()
        .from_raw_sql(raw(
            "SELECT * FROM cake WHERE name = $1 AND price = $2 AND name = $1",
            vec!["apple".into(), 10i64.into()],
        ))
        .one(db)
        .await
        .unwrap();
    assert_eq!(found.unwrap().id, 1);
    let changed = db.execute_raw(raw("UPDATE cake SET price = price + $1", vec![1i64.into()])).await.unwrap();
    assert_eq!(changed.rows_affected(), 4);
    let returned = db
        .query_all_raw(raw("DELETE FROM cake WHERE price > $1 RETURNING id, name", vec![31i64.into()]))
        .await
        .unwrap();
    assert_eq!(returned.len(), 1);
    let counted = db.execute_raw(raw("DELETE FROM cake RETURNING id", vec![])).await.unwrap();
    assert_eq!(counted.rows_affected(), 3);
    let unset = cake::ActiveModel { id: Set(1), name: Set("n".to_owned()), baker_id: NotSet, price: Set(1) };
    assert_eq!(unset.insert(db).await.unwrap().baker_id, None);
}
