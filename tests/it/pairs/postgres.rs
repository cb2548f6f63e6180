//! Postgres's types, arrays and types of one's own too, and how values of them are said.

use super::names::quoted;
use super::schema::Kind;
use super::seed::Seed;
use super::values::{self, Texts};

/// A type; one that has to be made first is added to the script, under `name`.
pub(super) fn kind(seed: &mut Seed, name: &str, script: &mut Vec<String>) -> Kind {
    match seed.below(8) {
        0 => array(scalar(seed)),
        1 => own(seed, name, script),
        _ => scalar(seed),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `'said'::type`.
fn cast(declared: &str, said: impl Fn(&mut Seed) -> String + 'static) -> Kind {
    let declared = declared.to_owned();
    Kind::new(declared.clone(), move |seed| format!("{}::{declared}", literal(&said(seed))))
}

fn text(seed: &mut Seed) -> String {
    String::from_utf8(values::text(seed, Texts::NoNul)).unwrap()
}

fn short(seed: &mut Seed) -> String {
    text(seed).chars().take(5).collect()
}

fn integer(declared: &str, least: i64, greatest: i64) -> Kind {
    cast(declared, move |seed| values::whole(seed, least.into(), greatest.into()).to_string())
}

fn scalar(seed: &mut Seed) -> Kind {
    match seed.below(28) {
        0 => cast("boolean", |seed| seed.pick(&["true", "false"]).to_owned()),
        1 => integer("smallint", i16::MIN.into(), i16::MAX.into()),
        2 => integer("integer", i32::MIN.into(), i32::MAX.into()),
        3 => integer("bigint", i64::MIN, i64::MAX),
        4 => cast("real", |seed| match seed.below(4) {
            0 => seed.pick(&["NaN", "Infinity", "-Infinity", "-0"]).to_owned(),
            _ => values::small_real(seed),
        }),
        5 => cast("double precision", |seed| match seed.below(4) {
            0 => seed.pick(&["NaN", "Infinity", "-Infinity", "-0"]).to_owned(),
            _ => values::real(seed),
        }),
        6 => cast("numeric", |seed| match seed.below(4) {
            0 => seed.pick(&["NaN", "Infinity", "-Infinity", "0.00", "1e1000", "1e-1000"]).to_owned(),
            _ => values::decimal(seed, 60, 20),
        })
        // The zeros that end it are no part of its meaning.
        .inexact(),
        7 | 8 => {
            let precision = 1 + seed.below(60);
            let scale = seed.below(precision + 1);
            cast(&format!("numeric({precision},{scale})"), move |seed| match seed.one_in(12) {
                true => "NaN".to_owned(),
                false => values::decimal(seed, precision, scale),
            })
        }
        9 => cast("numeric(5,-2)", |seed| format!("{}00", values::decimal(seed, 5, 0))),
        10 | 11 => cast("text", text),
        12 => cast("character varying(5)", short),
        13 => cast("character(5)", short),
        14 => cast("bytea", |seed| format!("\\x{}", values::hex(&values::bytes(seed)))).unkeyed(),
        15 => cast("uuid", values::uuid),
        16 => cast("json", values::document).unkeyed(),
        // Nothing that jsonb refuses or rounds.
        17 => cast("jsonb", |seed| {
            seed.pick(&["{\"b\": 1, \"a\": [1,  2]}", "null", "\"x\"", "5", "0.10", "[]"]).to_owned()
        })
        // It goes as json, which Postgres has no order for.
        .unkeyed(),
        18 => cast("date", |seed| match seed.below(3) {
            0 => seed
                .pick(&["infinity", "-infinity", "5874897-12-31", "4714-11-24 BC", "0001-12-31 BC"])
                .to_owned(),
            _ => values::day(seed),
        }),
        19 => cast("time without time zone", |seed| match seed.one_in(6) {
            true => "24:00:00".to_owned(),
            false => values::clock(seed, 6),
        }),
        20 => cast("time with time zone", |seed| values::clock(seed, 6) + &values::offset(seed)),
        21 if seed.one_in(3) => cast("timestamp(3) without time zone", |seed| {
            format!("{} {}", values::day(seed), values::clock(seed, 3))
        }),
        21 => cast("timestamp without time zone", moment),
        22 => cast("timestamp with time zone", |seed| {
            let moment = moment(seed);
            match moment.strip_suffix(" BC") {
                Some(before) => format!("{before}+00 BC"),
                None if moment.ends_with("infinity") => moment,
                None => moment + "+00",
            }
        }),
        23 => cast("interval", |seed| {
            let months = values::whole(seed, i32::MIN.into(), i32::MAX.into());
            let days = values::whole(seed, i32::MIN.into(), i32::MAX.into());
            let micros = values::whole(seed, -1_i128 << 53, 1 << 53);
            format!("{months} mons {days} days {micros} microseconds")
        }),
        24 => cast("bit(5)", |seed| (0..5).map(|_| if seed.one_in(2) { '0' } else { '1' }).collect()),
        25 => cast("bit varying", |seed| {
            (0..seed.below(20)).map(|_| if seed.one_in(2) { '0' } else { '1' }).collect()
        }),
        26 => cast("inet", |seed| seed.pick(&["10.1.2.3", "::1/64", "0.0.0.0/0"]).to_owned()),
        _ => cast("int4range", |seed| seed.pick(&["empty", "[1,5)", "(,)"]).to_owned()),
    }
}

fn moment(seed: &mut Seed) -> String {
    match seed.below(3) {
        0 => seed
            .pick(&[
                "infinity",
                "-infinity",
                "294276-12-31 23:59:59.999999",
                "294247-01-10 04:00:54.775806",
                "4714-11-24 00:00:00 BC",
                "0001-12-31 12:00:00 BC",
                "1969-12-31 23:59:59.999999",
            ])
            .to_owned(),
        _ => format!("{} {}", values::day(seed), values::clock(seed, 6)),
    }
}

fn array(element: Kind) -> Kind {
    let declared = format!("{}[]", element.declared);
    // An address in an array comes back with its mask.
    let exact = element.exact && element.declared != "inet";
    let array = Kind::new(declared.clone(), move |seed| {
        let elements: Vec<String> = (0..seed.below(4))
            .map(|_| match seed.one_in(6) {
                true => "NULL".to_owned(),
                false => (element.draw)(seed),
            })
            .collect();
        // One in a while has another shape than those of one dimension that count from one.
        let list = format!("ARRAY[{}]::{declared}", elements.join(", "));
        match seed.below(20) {
            0 if !elements.is_empty() => format!("ARRAY[{list}, {list}]"),
            1 if !elements.is_empty() => {
                format!("('[0:{}]=' || {list}::text)::{declared}", elements.len() - 1)
            }
            _ => list,
        }
    })
    .unkeyed();
    Kind { exact, ..array }
}

/// A type of one's own: an enum, a domain, a composite.
fn own(seed: &mut Seed, name: &str, script: &mut Vec<String>) -> Kind {
    let declared = quoted(name);
    match seed.below(3) {
        0 => {
            let labels = ["low", "it's", "", "naïve 🦑", "\u{1a}0", "a,b", "\"", "NULL"];
            let said: Vec<String> = labels.iter().map(|label| literal(label)).collect();
            script.push(format!("CREATE TYPE {declared} AS ENUM ({})", said.join(", ")));
            cast(&declared, move |seed| seed.pick(&labels).to_owned())
        }
        1 => {
            script.push(format!("CREATE DOMAIN {declared} AS integer CHECK (VALUE > 0)"));
            cast(&declared, |seed| values::whole(seed, 1, i32::MAX.into()).to_string())
        }
        _ => {
            script.push(format!("CREATE TYPE {declared} AS (a integer, b text)"));
            cast(&declared, |seed| seed.pick(&["(1,x)", "(,)", "(2,\"a \"\"b\"\", c\")"]).to_owned())
                .unkeyed()
        }
    }
}
