//! What DuckDB does not take of Postgres' SQL, by name.
//!
//! DuckDB's own message says what it stumbled over, not what a reader can do. After it has refused a statement, and only
//! then, the text is searched for the features below; so a statement that DuckDB takes is never refused here.

use trimaran_core::{Error, ErrorKind};

use super::sql::{Token, tokens};

struct Feature {
    /// Words that follow one another, upper case; one character for a symbol.
    words: &'static [&'static str],
    name: &'static str,
    instead: &'static str,
}

const KEYS: &str =
    "make ids in the application, or create a sequence and give the column DEFAULT nextval('…')";
const LOCKS: &str = "leave it out: a concurrent change of the same rows fails with Aborted, and is run again";
const JSONB: &str = "use json; read it with json_extract or ->>";
const PARENTS: &str = "declare the table without it, and check parents and cascade in the repository";

const FEATURES: [Feature; 17] = [
    Feature { words: &["FOR", "UPDATE"], name: "FOR UPDATE", instead: LOCKS },
    Feature { words: &["FOR", "NO", "KEY"], name: "FOR NO KEY UPDATE", instead: LOCKS },
    Feature { words: &["FOR", "SHARE"], name: "FOR SHARE", instead: LOCKS },
    Feature { words: &["FOR", "KEY", "SHARE"], name: "FOR KEY SHARE", instead: LOCKS },
    Feature { words: &["SERIAL"], name: "serial columns", instead: KEYS },
    Feature { words: &["BIGSERIAL"], name: "serial columns", instead: KEYS },
    Feature { words: &["SMALLSERIAL"], name: "serial columns", instead: KEYS },
    Feature { words: &["AS", "IDENTITY"], name: "identity columns", instead: KEYS },
    Feature { words: &["ON", "DELETE"], name: "actions of foreign keys", instead: PARENTS },
    Feature { words: &["ON", "UPDATE"], name: "actions of foreign keys", instead: PARENTS },
    Feature { words: &["FOREIGN", "KEY"], name: "this foreign key", instead: PARENTS },
    Feature { words: &["@", ">"], name: "the operator @>", instead: "use json_contains or list_has_all" },
    Feature { words: &["<", "@"], name: "the operator <@", instead: "use json_contains or list_has_all" },
    Feature { words: &["JSONB_SET"], name: "jsonb_set", instead: JSONB },
    Feature { words: &["JSONB"], name: "the type jsonb", instead: JSONB },
    Feature { words: &["CREATE", "INDEX", "WHERE"], name: "partial indexes", instead: "index all rows" },
    Feature {
        words: &["ALTER", "TABLE", ","],
        name: "several actions in one ALTER TABLE",
        instead: "run one ALTER per action",
    },
];

/// `error` as it is, or, if DuckDB refused the text `sql` for a feature it lacks, one that names it.
pub(super) fn explain(error: Error, sql: &str) -> Error {
    let refused = matches!(
        error.engine_code(),
        Some("Parser Error" | "Syntax Error" | "Binder Error" | "Catalog Error" | "Not implemented Error")
    );
    if !refused {
        return error;
    }
    let words = words(sql);
    // `CREATE … INDEX … WHERE` and `ALTER TABLE …,` have other words between theirs.
    let found = FEATURES.iter().find(|feature| match feature.words {
        ["CREATE", "INDEX", last] => starts(&words, "CREATE", "INDEX") && words.iter().any(|w| w == last),
        ["ALTER", "TABLE", last] => starts(&words, "ALTER", "TABLE") && words.iter().any(|w| w == last),
        sequence => words.windows(sequence.len()).any(|window| window.iter().eq(sequence)),
    });
    match found {
        Some(feature) => Error::new(ErrorKind::Unsupported, error.operation().to_owned())
            .context(format!("DuckDB has no {}", feature.name))
            .hint(feature.instead)
            .source(error),
        None => error,
    }
}

/// The bare words and symbols of a text, upper case.
fn words(sql: &str) -> Vec<String> {
    tokens(sql)
        .filter_map(|(token, range)| match token {
            Token::Word | Token::Symbol(_) => Some(sql[range].to_ascii_uppercase()),
            _ => None,
        })
        .collect()
}

fn starts(words: &[String], first: &str, then: &str) -> bool {
    words.first().is_some_and(|word| word == first) && words.iter().take(3).any(|word| word == then)
}
