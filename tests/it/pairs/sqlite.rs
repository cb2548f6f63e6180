//! SQLite's declarations, and values of every storage class in them.

use super::schema::Kind;
use super::seed::Seed;
use super::values::{self, Texts};

fn said(text: &[u8]) -> String {
    format!("CAST(x'{}' AS TEXT)", values::hex(text))
}

fn text(seed: &mut Seed) -> String {
    said(&values::text(seed, Texts::Bytes))
}

fn blob(seed: &mut Seed) -> String {
    format!("x'{}'", values::hex(&values::bytes(seed)))
}

fn integer(seed: &mut Seed) -> String {
    // The least can't be said as the opposite of a number that is none.
    values::whole(seed, i128::from(i64::MIN) + 1, i64::MAX.into()).to_string()
}

fn real(seed: &mut Seed) -> String {
    match seed.below(8) {
        0 => "9e999".to_owned(),
        1 => "-9e999".to_owned(),
        2 => "-0.0".to_owned(),
        _ => values::real(seed),
    }
}

/// Any storage class: what a column without types may hold, whatever it is declared.
fn any(seed: &mut Seed) -> String {
    match seed.below(4) {
        0 => integer(seed),
        1 => real(seed),
        2 => text(seed),
        _ => blob(seed),
    }
}

pub(super) fn kind(seed: &mut Seed) -> Kind {
    let stray = seed.one_in(5);
    let kind = fitting(seed);
    if !stray {
        return kind;
    }
    let draw = kind.draw.clone();
    let strayed = Kind::new(kind.declared.clone(), move |seed| match seed.one_in(8) {
        true => any(seed),
        false => draw(seed),
    });
    match kind.declared.as_str() {
        // The rowid holds no text.
        "INTEGER" => strayed.unkeyed(),
        "TEXT" | "BLOB" | "REAL" => strayed,
        // A column of several forms comes back in one.
        _ => strayed.inexact(),
    }
}

fn fitting(seed: &mut Seed) -> Kind {
    match seed.below(18) {
        0 | 1 => Kind::new(
            seed.pick(&["INTEGER", "INT", "BIGINT", "SMALLINT", "TINYINT(1)", "UNSIGNED BIG INT"]),
            integer,
        ),
        2 => Kind::new(seed.pick(&["REAL", "DOUBLE PRECISION", "FLOAT"]), real),
        3 => Kind::new(seed.pick(&["NUMERIC", "DECIMAL(10,2)", "NUMBER"]), |seed| match seed.below(3) {
            0 => integer(seed),
            // No infinity, which comes back as text.
            1 => values::real(seed),
            _ => format!("'{}'", values::decimal(seed, 12, 4)),
        }),
        4 | 5 => {
            Kind::new(seed.pick(&["TEXT", "VARCHAR(10)", "CLOB", "NVARCHAR(5)", "character varying"]), text)
        }
        6 => Kind::new("BLOB", blob),
        7 => {
            let class: fn(&mut Seed) -> String = match seed.below(4) {
                0 => integer,
                // No infinity, as above.
                1 => values::real,
                2 => text,
                _ => blob,
            };
            Kind::new(seed.pick(&["", "GEOMETRY", "ANYTHING"]), class)
        }
        8 => Kind::new("BOOLEAN", |seed| seed.pick(&["0", "1"]).to_owned()),
        9 => Kind::new("DATE", |seed| format!("'{}'", values::day(seed))),
        10 => Kind::new("TIME", |seed| format!("'{}'", values::clock(seed, 0))),
        11 | 12 => moment(seed),
        13 => counted(seed),
        // Postgres has no order for it, and so no key.
        14 | 15 => Kind::new("JSON", |seed| match seed.below(8) {
            0 => seed.pick(&["'[NaN]'", "'{broken'", "''", "5", "1.5", "'\"' || char(0) || '\"'"]).to_owned(),
            // SQLite itself makes an infinity of such a number.
            _ => format!("'{}'", values::document(seed).replace("1e400", "1e40").replace('\'', "''")),
        })
        .unkeyed(),
        _ => uuid(seed),
    }
}

/// Moments as text, in one spelling.
fn moment(seed: &mut Seed) -> Kind {
    let blank = if seed.one_in(2) { ' ' } else { 'T' };
    let digits = [0, 3, 6][seed.below(3)];
    let zone = seed.pick(&["", "Z", "+00:00"]);
    Kind::new(seed.pick(&["DATETIME", "TIMESTAMP"]), move |seed| {
        format!("'{}{blank}{}{zone}'", values::day(seed), values::clock(seed, digits))
    })
}

/// Moments as counts, in one unit.
fn counted(seed: &mut Seed) -> Kind {
    let kind = match seed.below(3) {
        0 => Kind::new("DATETIME", |seed| (1_000_000_000 + seed.below(1 << 30)).to_string()),
        1 => Kind::new("DATETIME", |seed| (1_000_000_000_000 + seed.below(1 << 40)).to_string()),
        _ => Kind::new("DATETIME", |seed| format!("{}.5", 2_440_000 + seed.below(40_000))),
    };
    kind.unkeyed()
}

/// UUIDs, in one form.
fn uuid(seed: &mut Seed) -> Kind {
    match seed.below(4) {
        0 => Kind::new("BINARY(16)", |seed| format!("x'{}'", values::uuid(seed).replace('-', ""))),
        1 => Kind::new("CHAR(32)", |seed| format!("'{}'", values::uuid(seed).replace('-', ""))),
        // A name of affinity NUMERIC: digits alone would become a number.
        2 => Kind::new("UUID", |seed| format!("'{}'", values::uuid(seed))),
        _ => Kind::new("CHAR(36)", |seed| format!("'{}'", values::uuid(seed))),
    }
}
