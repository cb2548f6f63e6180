//! Postgres's types: their OIDs, their names, and which of them travel in binary form.

use trimaran_core::LogicalType;

/// (type, its OID, the OID of its arrays), from `src/include/catalog/pg_type.dat`. These never change between versions.
const OIDS: [(LogicalType, u32, u32); 18] = [
    (LogicalType::Bool, 16, 1000),
    (LogicalType::Int16, 21, 1005),
    (LogicalType::Int32, 23, 1007),
    (LogicalType::Int64, 20, 1016),
    (LogicalType::Float32, 700, 1021),
    (LogicalType::Float64, 701, 1022),
    (LogicalType::Numeric, 1700, 1231),
    (LogicalType::Text, 25, 1009),
    (LogicalType::Bytes, 17, 1001),
    (LogicalType::Json, 114, 199),
    (LogicalType::Uuid, 2950, 2951),
    (LogicalType::Date, 1082, 1182),
    (LogicalType::Time, 1083, 1183),
    (LogicalType::TimeTz, 1266, 1270),
    (LogicalType::Timestamp, 1114, 1115),
    (LogicalType::TimestampTz, 1184, 1185),
    (LogicalType::Interval, 1186, 1187),
    (LogicalType::Bits, 1562, 1563),
];

/// Further types whose binary form is that of a type above: varchar, bpchar, name, unknown; bit.
const ALIASES: [(LogicalType, u32, u32); 5] = [
    (LogicalType::Text, 1043, 1015),
    (LogicalType::Text, 1042, 1014),
    (LogicalType::Text, 19, 1003),
    (LogicalType::Text, 705, 0),
    (LogicalType::Bits, 1560, 1561),
];

/// The OID of `void`, which functions called for their effect return.
pub(super) const VOID: u32 = 2278;

/// The OID of `"char"`, one byte of text.
pub(super) const CHAR: u32 = 18;

/// The OID of `oid`.
pub(super) const OID: u32 = 26;

/// The OID of a type that can be an array's element; `None` for a list.
pub(super) fn element_oid(logical: &LogicalType) -> Option<u32> {
    let plain = match logical {
        LogicalType::Decimal { .. } => &LogicalType::Numeric,
        other => other,
    };
    OIDS.iter().find(|(l, ..)| l == plain).map(|(_, oid, _)| *oid)
}

/// The OID of a type's arrays; 0, for the server to find out, if it has none.
pub(super) fn array_oid(logical: &LogicalType) -> u32 {
    OIDS.iter().find(|(l, ..)| l == logical).map_or(0, |(.., oid)| *oid)
}

/// The type whose binary form values of the type `oid` have.
pub(super) fn of_oid(oid: u32) -> Option<LogicalType> {
    OIDS.iter().chain(&ALIASES).find_map(|(logical, scalar, array)| match oid {
        _ if oid == *scalar => Some(logical.clone()),
        _ if oid == *array => Some(LogicalType::List(Box::new(logical.clone()))),
        _ => None,
    })
}

/// The type whose binary form a column has, going by what `format_type` calls it; `None` if its values have to be cast.
pub(super) fn of_declared(declared: &str) -> Option<LogicalType> {
    if let Some(element) = declared.strip_suffix("[]") {
        return of_declared(element).map(|e| LogicalType::List(Box::new(e)));
    }
    if declared.starts_with("numeric(") {
        // A negative scale, or one above the precision, has no place in `Decimal`.
        return LogicalType::parse(declared).or(Some(LogicalType::Numeric));
    }
    let bare = match (declared.find('('), declared.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", &declared[..open], &declared[close + 1..])
        }
        _ => declared.to_owned(),
    };
    Some(match bare.as_str() {
        "character varying" | "character" | "name" => LogicalType::Text,
        "bit" => LogicalType::Bits,
        "time without time zone" => LogicalType::Time,
        "timestamp without time zone" => LogicalType::Timestamp,
        interval if interval.starts_with("interval ") => LogicalType::Interval,
        // A user's own type is shown with its schema, or in quotes where it is called like one of these.
        other => OIDS.iter().find(|(l, ..)| l.to_string() == other).map(|(l, ..)| l.clone())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_names_are_read_with_their_modifiers() {
        let list = |l| LogicalType::List(Box::new(l));
        let cases = [
            ("bigint", Some(LogicalType::Int64)),
            ("character varying(36)", Some(LogicalType::Text)),
            ("character(3)[]", Some(list(LogicalType::Text))),
            ("timestamp(3) without time zone", Some(LogicalType::Timestamp)),
            ("timestamp with time zone", Some(LogicalType::TimestampTz)),
            ("time(0) with time zone", Some(LogicalType::TimeTz)),
            ("interval day to second(3)", Some(LogicalType::Interval)),
            ("interval", Some(LogicalType::Interval)),
            ("bit(8)", Some(LogicalType::Bits)),
            ("bit varying(9)", Some(LogicalType::Bits)),
            ("numeric", Some(LogicalType::Numeric)),
            ("numeric(10,2)[]", Some(list(LogicalType::Decimal { precision: 10, scale: 2 }))),
            ("numeric(3,-2)", Some(LogicalType::Numeric)),
            ("numeric(2,5)", Some(LogicalType::Numeric)),
            ("\"char\"", None),
            ("public.mood", None),
            ("jsonb", None),
            ("intervals", None),
        ];
        for (declared, expected) in cases {
            assert_eq!(of_declared(declared), expected, "{declared}");
        }
    }

    #[test]
    fn every_type_and_its_array_is_known_by_its_oid() {
        for (logical, oid, array) in OIDS {
            assert_eq!(element_oid(&logical), Some(oid));
            assert_eq!(of_oid(oid), Some(logical.clone()));
            assert_eq!(of_oid(array), Some(LogicalType::List(Box::new(logical))));
        }
        assert_eq!(of_oid(600), None);
    }
}
