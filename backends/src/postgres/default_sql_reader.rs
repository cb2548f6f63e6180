//! Defaults as Postgres shows them (`pg_get_expr`), read back.

use trimaran_core::LogicalType;

use crate::catalog::{DefaultValue, TableName, parse_default};

/// What Postgres makes of the current time in UTC, in its spellings across versions.
const UTC_NOW: [&str; 2] = ["now() AT TIME ZONE 'UTC'::text", "timezone('UTC'::text, now())"];

/// The default that `sql` says, for a column of type `logical`.
pub(super) fn read(sql: &str, logical: Option<&LogicalType>) -> DefaultValue {
    if let Some(sequence) = next_value(sql) {
        return DefaultValue::NextValue(sequence);
    }
    let mut bare = sql;
    let mut cast = None;
    if let Some((inner, to)) =
        sql.rsplit_once("::").filter(|(_, to)| matches!(*to, "date" | "time without time zone"))
    {
        (bare, cast) = (inner, Some(to));
    }
    while let Some(inner) = bare.strip_prefix('(').and_then(|s| s.strip_suffix(')')) {
        bare = inner;
    }
    if UTC_NOW.contains(&bare) {
        return match cast {
            Some("date") => DefaultValue::CurrentDate,
            Some(_) => DefaultValue::CurrentTime,
            None => DefaultValue::CurrentTimestamp,
        };
    }
    match (parse_default(sql), logical) {
        // Postgres shows a negative number as '-1'::integer.
        (DefaultValue::Text(text), Some(logical))
            if is_number(logical) && text.parse::<f64>().is_ok_and(f64::is_finite) =>
        {
            DefaultValue::Number(text)
        }
        (default, _) => default,
    }
}

fn is_number(logical: &LogicalType) -> bool {
    use LogicalType as T;
    matches!(
        logical,
        T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64 | T::Numeric | T::Decimal { .. }
    )
}

/// The sequence of `nextval('schema.name'::regclass)`.
fn next_value(sql: &str) -> Option<TableName> {
    let quoted = sql.strip_prefix("nextval('")?.strip_suffix("'::regclass)")?.replace("''", "'");
    let (schema, rest) = identifier(&quoted)?;
    let (name, rest) = identifier(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some(TableName { schema, name })
}

/// Takes one identifier, quoted or not, off the front.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_as_postgres_shows_them() {
        let sequence = |schema, name| DefaultValue::NextValue(TableName::new(schema, name));
        let int = LogicalType::Int32;
        let cases = [
            ("nextval('public.t_id_seq'::regclass)", sequence("public", "t_id_seq")),
            ("nextval('\"My.Schema\".\"it''s \"\"it\"\"\"'::regclass)", sequence("My.Schema", "it's \"it\"")),
            ("'-1'::integer", DefaultValue::Number("-1".into())),
            ("(now() AT TIME ZONE 'UTC'::text)", DefaultValue::CurrentTimestamp),
            ("timezone('UTC'::text, now())", DefaultValue::CurrentTimestamp),
            ("((now() AT TIME ZONE 'UTC'::text))::date", DefaultValue::CurrentDate),
            ("((now() AT TIME ZONE 'UTC'::text))::time without time zone", DefaultValue::CurrentTime),
            ("(gen_random_uuid())::text", DefaultValue::NewUuid),
            ("'a'::text", DefaultValue::Text("a".into())),
            ("nextval('x'::regclass)", DefaultValue::Expression("nextval('x'::regclass)".into())),
            (
                "(nextval('a.b'::regclass) * 2)",
                DefaultValue::Expression("(nextval('a.b'::regclass) * 2)".into()),
            ),
        ];
        for (sql, expected) in cases {
            assert_eq!(read(sql, Some(&int)), expected, "{sql}");
        }
    }
}
