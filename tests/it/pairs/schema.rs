//! A database, drawn: tables, keys of every kind, and rows, as one script in its engine's SQL.

use std::rc::Rc;

use trimaran_core::Engine;

use super::names::{Names, list, quoted};
use super::seed::Seed;
use super::{duckdb, postgres, sqlite};

/// A type that columns have, and how values of it are said in SQL.
#[derive(Clone)]
pub(super) struct Kind {
    pub(super) declared: String,
    pub(super) draw: Rc<dyn Fn(&mut Seed) -> String>,
    /// Whether a key can be made of it.
    pub(super) keyed: bool,
    /// Whether cells come back letter for letter, and not only by their meaning.
    pub(super) exact: bool,
}

impl Kind {
    pub(super) fn new(declared: impl Into<String>, draw: impl Fn(&mut Seed) -> String + 'static) -> Self {
        Self { declared: declared.into(), draw: Rc::new(draw), keyed: true, exact: true }
    }

    pub(super) fn unkeyed(self) -> Self {
        Self { keyed: false, ..self }
    }

    pub(super) fn inexact(self) -> Self {
        Self { exact: false, ..self }
    }
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    nullable: bool,
    /// What follows the type, such as a default.
    more: String,
}

pub(super) struct Table {
    /// The schema; none is the engine's default.
    pub(super) schema: Option<String>,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    keys: Vec<Vec<usize>>,
    /// Whether the first of the keys is the primary one.
    has_primary: bool,
    foreign: Vec<Foreign>,
}

struct Foreign {
    columns: Vec<usize>,
    parent: usize,
    referenced: Vec<usize>,
    action: &'static str,
}

impl Table {
    pub(super) fn qualified(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.name)),
            None => quoted(&self.name),
        }
    }

    fn is_primary(&self, column: usize) -> bool {
        self.has_primary && self.keys[0].contains(&column)
    }

    fn named(&self, columns: &[usize]) -> String {
        list(&columns.iter().map(|at| self.columns[*at].name.clone()).collect::<Vec<_>>())
    }
}

/// A drawn database.
pub(super) struct Origin {
    pub(super) tables: Vec<Table>,
    /// The statements that make it, in order.
    pub(super) script: Vec<String>,
}

const ACTIONS: [&str; 5] =
    ["", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE", " ON DELETE RESTRICT"];

/// Draws a database of an engine.
pub(super) fn origin(engine: Engine, seed: &mut Seed) -> Origin {
    let mut relations = Names::default();
    let mut script = Vec::new();
    let schema = (engine != Engine::Sqlite && seed.one_in(3)).then(|| "Extra \"x\".y".to_owned());
    script.extend(schema.iter().map(|schema| format!("CREATE SCHEMA {}", quoted(schema))));
    let mut tables: Vec<Table> = Vec::new();
    for _ in 0..1 + seed.below(4) {
        let schema = schema.clone().filter(|_| seed.one_in(3));
        let name = relations.draw(seed);
        let table = table(engine, seed, schema, name, &tables, &mut script);
        tables.push(table);
        script.push(create(engine, seed, &tables));
        indexes(seed, &mut relations, &tables, &mut script);
        rows(engine, seed, &tables, &mut script);
    }
    Origin { tables, script }
}

fn table(
    engine: Engine,
    seed: &mut Seed,
    schema: Option<String>,
    name: String,
    before: &[Table],
    script: &mut Vec<String>,
) -> Table {
    let mut names = Names::default();
    let mut table = Table {
        schema,
        name,
        columns: Vec::new(),
        keys: Vec::new(),
        has_primary: false,
        foreign: Vec::new(),
    };
    for at in 0..1 + seed.below(7) {
        let kind = match engine {
            Engine::Duckdb => duckdb::kind(seed),
            Engine::Sqlite => sqlite::kind(seed),
            Engine::Postgres => postgres::kind(seed, &format!("kind {} {at}", table.name), script),
        };
        let more = match seed.below(6) {
            0 if kind.exact => format!(" DEFAULT {}", in_parentheses(engine, &(kind.draw)(seed))),
            _ => String::new(),
        };
        table.columns.push(Column { name: names.draw(seed), kind, nullable: !seed.one_in(4), more });
    }
    for at in 0..seed.below(3) {
        let keyed: Vec<usize> = (0..table.columns.len()).filter(|at| table.columns[*at].kind.keyed).collect();
        let mut key: Vec<usize> = keyed.into_iter().filter(|_| seed.one_in(3)).take(3).collect();
        if seed.one_in(2) {
            key.reverse();
        }
        let new = !key.is_empty() && !table.keys.iter().any(|k| same(k, &key));
        table.has_primary |= new && at == 0 && !seed.one_in(4);
        if new {
            table.keys.push(key);
        }
    }
    // What refers takes the types of what it refers to, maybe of its own table.
    for _ in 0..seed.below(3) {
        let to = seed.below(before.len() + 1);
        let own = to == before.len();
        let parent = if own { &table } else { &before[to] };
        if parent.keys.is_empty() || parent.schema != table.schema {
            continue;
        }
        let referenced = parent.keys[seed.below(parent.keys.len())].clone();
        let kinds: Vec<Kind> = referenced.iter().map(|at| parent.columns[*at].kind.clone()).collect();
        let first = table.columns.len();
        for kind in kinds {
            let nullable = own || !seed.one_in(4);
            table.columns.push(Column { name: names.draw(seed), kind, nullable, more: String::new() });
        }
        let columns: Vec<usize> = (first..table.columns.len()).collect();
        let settable = columns.iter().all(|at| table.columns[*at].nullable);
        let action = match seed.pick(&ACTIONS) {
            _ if engine == Engine::Duckdb => "",
            action if action.contains("SET NULL") && !settable => "",
            action => action,
        };
        table.foreign.push(Foreign { columns, parent: to, referenced, action });
    }
    table
}

fn same(a: &[usize], b: &[usize]) -> bool {
    a.len() == b.len() && a.iter().all(|at| b.contains(at))
}

fn in_parentheses(engine: Engine, sql: &str) -> String {
    if engine == Engine::Sqlite { format!("({sql})") } else { sql.to_owned() }
}

/// The statement that creates the last table.
fn create(engine: Engine, seed: &mut Seed, tables: &[Table]) -> String {
    let table = &tables[tables.len() - 1];
    let mut parts: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let must = if column.nullable { "" } else { " NOT NULL" };
            format!("{} {}{}{must}", quoted(&column.name), column.kind.declared, column.more)
        })
        .collect();
    for (at, key) in table.keys.iter().enumerate() {
        let kind = if at == 0 && table.has_primary { "PRIMARY KEY" } else { "UNIQUE" };
        parts.push(format!("{kind} ({})", table.named(key)));
    }
    for key in &table.foreign {
        let parent = &tables[key.parent];
        parts.push(format!(
            "FOREIGN KEY ({}) REFERENCES {} ({}){}",
            table.named(&key.columns),
            parent.qualified(),
            parent.named(&key.referenced),
            key.action
        ));
    }
    let without_rowid = engine == Engine::Sqlite && table.has_primary && seed.one_in(4);
    let more = if without_rowid { " WITHOUT ROWID" } else { "" };
    format!("CREATE TABLE {} ({}){more}", table.qualified(), parts.join(", "))
}

/// An index of the last table, maybe.
fn indexes(seed: &mut Seed, names: &mut Names, tables: &[Table], script: &mut Vec<String>) {
    let table = &tables[tables.len() - 1];
    let keyed: Vec<usize> = (0..table.columns.len()).filter(|at| table.columns[*at].kind.keyed).collect();
    if keyed.is_empty() || !seed.one_in(3) {
        return;
    }
    let unique = if seed.one_in(3) { "UNIQUE " } else { "" };
    let column = quoted(&table.columns[keyed[seed.below(keyed.len())]].name);
    script.push(format!(
        "CREATE {unique}INDEX {} ON {} ({column})",
        quoted(&names.draw(seed)),
        table.qualified()
    ));
}

/// The rows of the last table. One that a key forbids is not there; what refers finds what it refers to by its place.
fn rows(engine: Engine, seed: &mut Seed, tables: &[Table], script: &mut Vec<String>) {
    let table = &tables[tables.len() - 1];
    let is_unique =
        !table.keys.is_empty() || script.last().is_some_and(|sql| sql.starts_with("CREATE UNIQUE"));
    let (verb, end) = match engine {
        Engine::Sqlite => ("INSERT OR IGNORE", ""),
        // DuckDB refuses the clause where there is nothing to be in conflict with.
        Engine::Duckdb if !is_unique => ("INSERT", ""),
        Engine::Duckdb | Engine::Postgres => ("INSERT", " ON CONFLICT DO NOTHING"),
    };
    let all: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
    for _ in 0..seed.below(14) {
        let mut cells: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let must = !column.nullable || (engine != Engine::Sqlite && table.is_primary(at));
                if !must && seed.one_in(6) { "NULL".to_owned() } else { (column.kind.draw)(seed) }
            })
            .collect();
        let mut from = "(SELECT 1) AS one".to_owned();
        for (at, key) in table.foreign.iter().enumerate() {
            let orphan = engine == Engine::Sqlite && seed.one_in(10);
            let free = key.columns.iter().all(|at| table.columns[*at].nullable);
            if orphan {
                continue;
            }
            let parent = &tables[key.parent];
            for (column, referenced) in key.columns.iter().zip(&key.referenced) {
                cells[*column] = format!("k{at}.{}", quoted(&parent.columns[*referenced].name));
            }
            let named = parent.named(&key.referenced);
            let (join, filled) = match free {
                true => ("LEFT JOIN", String::new()),
                false => {
                    let columns =
                        key.referenced.iter().map(|at| quoted(&parent.columns[*at].name) + " IS NOT NULL");
                    ("JOIN", format!(" WHERE {}", columns.collect::<Vec<_>>().join(" AND ")))
                }
            };
            let place = seed.below(12);
            from.push_str(&format!(
                " {join} (SELECT {named} FROM {}{filled} LIMIT 1 OFFSET {place}) AS k{at} ON true",
                parent.qualified()
            ));
        }
        // Without WHERE, SQLite takes ON for a part of the join; the others take it, too.
        script.push(format!(
            "{verb} INTO {} ({}) SELECT {} FROM {from} WHERE true{end}",
            table.qualified(),
            list(&all),
            cells.join(", "),
        ));
    }
}
