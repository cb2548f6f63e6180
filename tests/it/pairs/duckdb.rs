//! DuckDB's types, nested ones too, and how values of them are said.

use super::names::quoted;
use super::schema::Kind;
use super::seed::Seed;
use super::values::{self, Texts};

/// A type, and its least and greatest number.
const INTEGERS: [(&str, i128, i128); 10] = [
    ("TINYINT", -128, 127),
    ("SMALLINT", -32_768, 32_767),
    ("INTEGER", -2_147_483_648, 2_147_483_647),
    ("BIGINT", i64::MIN as i128, i64::MAX as i128),
    ("HUGEINT", i128::MIN, i128::MAX),
    ("UTINYINT", 0, 255),
    ("USMALLINT", 0, 65_535),
    ("UINTEGER", 0, 4_294_967_295),
    ("UBIGINT", 0, u64::MAX as i128),
    ("UHUGEINT", 0, i128::MAX),
];

pub(super) fn kind(seed: &mut Seed) -> Kind {
    if seed.one_in(4) { nested(seed, 2) } else { scalar(seed) }
}

/// `'said'::TYPE`.
fn cast(declared: &str, said: impl Fn(&mut Seed) -> String + 'static) -> Kind {
    let declared = declared.to_owned();
    Kind::new(declared.clone(), move |seed| format!("'{}'::{declared}", said(seed)))
}

fn text(seed: &mut Seed) -> String {
    let text = String::from_utf8(values::text(seed, Texts::Utf8)).unwrap();
    let parts: Vec<String> = text.split('\0').map(|part| format!("'{}'", part.replace('\'', "''"))).collect();
    format!("({})", parts.join(" || chr(0) || "))
}

fn scalar(seed: &mut Seed) -> Kind {
    match seed.below(24) {
        0..=3 => {
            let (name, least, greatest) = INTEGERS[seed.below(INTEGERS.len())];
            cast(name, move |seed| match name {
                "UHUGEINT" if seed.one_in(4) => u128::MAX.to_string(),
                _ => values::whole(seed, least, greatest).to_string(),
            })
        }
        4 => Kind::new("BOOLEAN", |seed| seed.pick(&["true", "false"]).to_owned()),
        5 => cast("FLOAT", |seed| match seed.below(4) {
            0 => seed.pick(&["nan", "infinity", "-infinity", "-0.0"]).to_owned(),
            _ => values::small_real(seed),
        }),
        6 => cast("DOUBLE", |seed| match seed.below(4) {
            0 => seed.pick(&["nan", "infinity", "-infinity", "-0.0"]).to_owned(),
            _ => values::real(seed),
        }),
        7 | 8 => {
            let precision = 1 + seed.below(38);
            let scale = seed.below(precision + 1);
            cast(&format!("DECIMAL({precision},{scale})"), move |seed| {
                values::decimal(seed, precision, scale)
            })
        }
        9 | 10 => Kind::new("VARCHAR", text),
        11 => cast("BLOB", |seed| values::bytes(seed).iter().map(|byte| format!("\\x{byte:02X}")).collect()),
        12 => cast("BIT", bits).unkeyed(),
        13 => cast("UUID", values::uuid),
        14 => cast("JSON", |seed| match seed.below(6) {
            0 => seed.pick(&["[NaN]", "{\"a\": Infinity}", "[1, -Infinity]"]).to_owned(),
            // DuckDB takes no half of a pair of surrogates.
            _ => values::document(seed).replace("\\ud800", "\\u001f").replace('\'', "''"),
        })
        .unkeyed(),
        15 => cast("DATE", |seed| match seed.below(3) {
            0 => seed.pick(&DAYS).to_owned(),
            _ => values::day(seed),
        }),
        16 => cast("TIME", |seed| if seed.one_in(6) { "24:00:00".into() } else { values::clock(seed, 6) }),
        17 => cast("TIMETZ", |seed| values::clock(seed, 6) + &values::offset(seed)),
        18 => cast("TIMESTAMP", moment),
        19 => cast(seed.pick(&["TIMESTAMP_S", "TIMESTAMP_MS"]), |seed| match seed.below(5) {
            0 => seed.pick(&["infinity", "-infinity"]).to_owned(),
            _ => format!("{} {}", values::day(seed), values::clock(seed, 3)),
        }),
        20 => cast("TIMESTAMP_NS", |seed| match seed.below(5) {
            0 => seed
                .pick(&[
                    "2262-04-11 23:47:16.854775806",
                    "1677-09-22 00:00:00",
                    "1970-01-01 00:00:00.000000001",
                ])
                .to_owned(),
            _ => format!("20{:02}-02-03 {}", seed.below(100), values::clock(seed, 6)),
        }),
        21 => cast("TIMESTAMPTZ", |seed| {
            let moment = moment(seed);
            match moment.ends_with("infinity") {
                true => moment,
                false => moment + "+00",
            }
        }),
        22 => Kind::new("INTERVAL", |seed| {
            let months = values::whole(seed, -12_000, 12_000);
            let days = values::whole(seed, i32::MIN.into(), i32::MAX.into());
            let micros = values::whole(seed, -1_i128 << 53, 1 << 53);
            format!(
                "(to_months(({months})::INTEGER) + to_days(({days})::INTEGER) + to_microseconds(({micros})::BIGINT))"
            )
        })
        .unkeyed(),
        _ => choice(seed),
    }
}

const DAYS: [&str; 11] = [
    "infinity",
    "-infinity",
    "5881580-07-10",
    "5877642-06-25 (BC)",
    "5874897-12-31",
    "5874898-01-01",
    "4714-11-24 (BC)",
    "4714-11-23 (BC)",
    "0001-12-31 (BC)",
    "10000-01-01",
    "0044-03-15 (BC)",
];

fn moment(seed: &mut Seed) -> String {
    match seed.below(3) {
        0 => seed
            .pick(&[
                "infinity",
                "-infinity",
                "294247-01-10 04:00:54.775806",
                "290309-12-22 (BC) 00:00:00",
                "4714-11-24 (BC) 00:00:00",
                "4714-11-23 (BC) 23:59:59.999999",
                "1969-12-31 23:59:59.999999",
                "0001-12-31 (BC) 12:00:00",
            ])
            .to_owned(),
        _ => format!("{} {}", values::day(seed), values::clock(seed, 6)),
    }
}

fn bits(seed: &mut Seed) -> String {
    (0..1 + seed.below(20)).map(|_| if seed.one_in(2) { '0' } else { '1' }).collect()
}

/// An ENUM of hostile labels.
fn choice(seed: &mut Seed) -> Kind {
    const LABELS: [&str; 12] =
        ["low", "it''s high", "", ",", ")", "], '')", "naïve 🦑", "\u{1a}0", "NULL", "\"", "a b", "\\"];
    let first = seed.below(LABELS.len());
    let count = 1 + seed.below(LABELS.len() - 1);
    let labels: Vec<&str> = LABELS.iter().cycle().skip(first).take(count).copied().collect();
    let said: Vec<String> = labels.iter().map(|label| format!("'{label}'")).collect();
    cast(&format!("ENUM({})", said.join(", ")), move |seed| seed.pick(&labels).to_owned())
}

/// A type that holds others, to a depth. What is no list of scalars moves as JSON, and comes back as that.
fn nested(seed: &mut Seed, depth: usize) -> Kind {
    let inner =
        |seed: &mut Seed| if depth > 0 && seed.one_in(3) { nested(seed, depth - 1) } else { scalar(seed) };
    let element = inner(seed);
    let name = element.declared.clone();
    let plain = !name.ends_with([']', ')'])
        || (name.ends_with(')') && (name.starts_with("DECIMAL") || name.starts_with("ENUM")));
    let nullable = move |seed: &mut Seed, kind: &Kind| match seed.one_in(6) {
        true => "NULL".to_owned(),
        false => (kind.draw)(seed),
    };
    let kind = match seed.below(6) {
        0..=2 => Kind::new(format!("{name}[]"), move |seed| {
            let elements: Vec<String> = (0..seed.below(4)).map(|_| nullable(seed, &element)).collect();
            format!("[{}]::{name}[]", elements.join(", "))
        }),
        3 => {
            let length = 1 + seed.below(3);
            Kind::new(format!("{name}[{length}]"), move |seed| {
                let elements: Vec<String> = (0..length).map(|_| nullable(seed, &element)).collect();
                format!("[{}]::{name}[{length}]", elements.join(", "))
            })
        }
        4 => {
            let other = inner(seed);
            let (first, second) =
                (seed.pick(&["a", "b c", "x]", "Y\"z"]), seed.pick(&["d", "it's", "e.f", "(g"]));
            let declared = format!("STRUCT({} {name}, {} {})", quoted(first), quoted(second), other.declared);
            return Kind::new(declared.clone(), move |seed| {
                let (a, b) = (nullable(seed, &element), nullable(seed, &other));
                format!("struct_pack({} := {a}, {} := {b})::{declared}", quoted(first), quoted(second))
            })
            .unkeyed()
            .inexact();
        }
        _ => {
            let declared = format!("MAP(VARCHAR, {name})");
            return Kind::new(declared.clone(), move |seed| {
                let keys: Vec<&str> =
                    ["'k'", "'it''s'", "''", "'🦑'"].into_iter().take(seed.below(4)).collect();
                let values: Vec<String> = keys.iter().map(|_| nullable(seed, &element)).collect();
                format!("map([{}], [{}])::{declared}", keys.join(", "), values.join(", "))
            })
            .unkeyed()
            .inexact();
        }
    };
    if plain { kind.unkeyed() } else { kind.unkeyed().inexact() }
}
