//! Every key there is, as a table: what is read, refused, shown and documented all follow it.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A path, relative to the working directory.
    Path,
    /// A database's URL; a password in it is not shown.
    Url,
    /// Text that is never shown.
    Secret,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number,
    /// Such as `10s` or `5m`.
    Duration,
    /// Such as `10s` or `5m`, or `never`.
    DurationOrNever,
    /// Such as `256MiB`.
    Size,
}

/// A key: where `*` stands, the name of one of the areas in a database; where `NAME` stands, that of a tenants' place.
#[derive(Debug, Clone, Copy)]
pub struct KeyDoc {
    /// The dotted key.
    pub key: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What it is if not set; empty if nothing.
    pub default: &'static str,
    /// What it does.
    pub text: &'static str,
}

const fn key(key: &'static str, kind: Kind, default: &'static str, text: &'static str) -> KeyDoc {
    KeyDoc { key, kind, default, text }
}

/// All keys, in the order in which they are shown and documented.
pub const KEYS: &[KeyDoc] = &[
    key(
        "data_directory",
        Kind::Path,
        "trimaran-data",
        "Where the embedded stores are: used for each area that has no `url`.",
    ),
    key(
        "migrate",
        Kind::Bool,
        "true",
        "Whether `open` brings each store's schema up to date. If not, it refuses a store that is behind; run `trimaran schema up` first.",
    ),
    key(
        "stores.*.url",
        Kind::Url,
        "",
        "Where the area is: `postgres://user@host:5432/database`, `sqlite:///path`, `duckdb:///path`. The scheme picks the engine. \
         For `configuration` and `conversation` on SQLite and DuckDB it names a folder with a file per tenant. Areas with equal URLs share one store.",
    ),
    key("stores.*.url_file", Kind::Path, "", "A file that holds the URL, in place of `url`."),
    key(
        "stores.*.password",
        Kind::Secret,
        "",
        "The password that belongs to `url`. Rather use `password_file`.",
    ),
    key(
        "stores.*.password_file",
        Kind::Path,
        "",
        "A file that holds the password that belongs to `url`, and nothing else.",
    ),
    key(
        "stores.*.owner_url",
        Kind::Url,
        "",
        "Postgres: the role that owns the tables and runs migrations, while the role in `url` owns nothing. Without it, `url` does both.",
    ),
    key("stores.*.owner_password", Kind::Secret, "", "The password that belongs to `owner_url`."),
    key(
        "stores.*.owner_password_file",
        Kind::Path,
        "",
        "A file that holds the password that belongs to `owner_url`.",
    ),
    key("stores.*.max_connections", Kind::Number, "10", "The most connections open at a time, at least 1."),
    key("stores.*.min_connections", Kind::Number, "0", "As many connections are kept open even when idle."),
    key(
        "stores.*.connect_timeout",
        Kind::Duration,
        "10s",
        "How long reaching the server or opening the file may take.",
    ),
    key(
        "stores.*.acquire_timeout",
        Kind::Duration,
        "10s",
        "How long a caller waits for a free connection (and, on SQLite, for another process's lock) before it gets a time-out.",
    ),
    key("stores.*.idle_timeout", Kind::DurationOrNever, "10m", "A connection idle for as long is closed."),
    key(
        "stores.*.max_lifetime",
        Kind::DurationOrNever,
        "30m",
        "A connection as old is replaced once it is free.",
    ),
    key(
        "stores.*.memory",
        Kind::Size,
        "512MiB",
        "DuckDB: the most memory that one open file's caches and queries may take, at least 64MiB.",
    ),
    key(
        "stores.content.url",
        Kind::Text,
        "",
        "Where the content area is: `file:///path/to/folder`, `s3://bucket/prefix`, or `memory:` for tests, lost with the process.",
    ),
    key(
        "stores.content.keep_versions",
        Kind::Number,
        "100",
        "How many versions of a configuration file are kept, the present one included: 1 to 1000.",
    ),
    key(
        "stores.content.endpoint",
        Kind::Text,
        "",
        "S3: the server, if not Amazon's, such as `https://s3.example.org`. It must know conditional writes.",
    ),
    key(
        "stores.content.region",
        Kind::Text,
        "",
        "S3: the region. Without it `AWS_REGION` holds, else `us-east-1`.",
    ),
    key(
        "stores.content.access_key_id",
        Kind::Text,
        "",
        "S3: who asks. Without it Amazon's own variables hold (`AWS_ACCESS_KEY_ID` and so on), else the role of the machine.",
    ),
    key(
        "stores.content.secret_access_key",
        Kind::Secret,
        "",
        "S3: the secret that belongs to `access_key_id`. Rather use `secret_access_key_file`.",
    ),
    key(
        "stores.content.secret_access_key_file",
        Kind::Path,
        "",
        "A file that holds the secret that belongs to `access_key_id`, and nothing else.",
    ),
    key("stores.content.session_token", Kind::Secret, "", "S3: the token of temporary credentials."),
    key("stores.content.session_token_file", Kind::Path, "", "A file that holds that token."),
    key(
        "tenants.key",
        Kind::Secret,
        "",
        "What tenants' file names are derived from: 256 random bits, as 64 hexadecimal digits or base64. `trimaran tenant rekey` changes it. Rather use `key_file`.",
    ),
    key(
        "tenants.key_file",
        Kind::Path,
        "",
        "A file that holds that key. Without key and URL for the per-tenant areas, one is made in `data_directory`.",
    ),
    key(
        "tenants.placement",
        Kind::Text,
        "default",
        "Where the data of a new tenant goes: `default` (where `stores` says), the name of a place, or `least-loaded`, the one with the fewest tenants.",
    ),
    key(
        "tenants.places.NAME.url",
        Kind::Url,
        "",
        "A further place for tenants' data, of all per-tenant areas, as in `stores.conversation.url`, whose pool and memory settings hold here, too.",
    ),
    key("tenants.places.NAME.url_file", Kind::Path, "", "A file that holds the URL, in place of `url`."),
    key(
        "tenants.places.NAME.password",
        Kind::Secret,
        "",
        "The password that belongs to `url`. Rather use `password_file`.",
    ),
    key(
        "tenants.places.NAME.password_file",
        Kind::Path,
        "",
        "A file that holds the password that belongs to `url`, and nothing else.",
    ),
    key(
        "tenants.places.NAME.owner_url",
        Kind::Url,
        "",
        "Postgres: the role that owns the tables and runs migrations.",
    ),
    key("tenants.places.NAME.owner_password", Kind::Secret, "", "The password that belongs to `owner_url`."),
    key(
        "tenants.places.NAME.owner_password_file",
        Kind::Path,
        "",
        "A file that holds the password that belongs to `owner_url`.",
    ),
    key(
        "tenants.signing_key",
        Kind::Secret,
        "",
        "Postgres: what tenant settings are signed with, so that no SQL can say that it is another tenant's. Needs `owner_url` for `configuration` and \
         `conversation`, with another role than in `url`. Rather use `signing_key_file`.",
    ),
    key(
        "tenants.signing_key_file",
        Kind::Path,
        "",
        "A file that holds that key. Another key is taken over when schemas are brought up to date; the one before still holds.",
    ),
    key(
        "tenants.open_files",
        Kind::Number,
        "64",
        "The most tenants' files open at a time; the least recently used is closed.",
    ),
    key(
        "tenants.max_connections",
        Kind::Number,
        "4",
        "The most connections open at a time to one tenant's file.",
    ),
    key(
        "tenants.memory",
        Kind::Size,
        "128MiB",
        "DuckDB: the most memory that one tenant's open file may take, at least 64MiB.",
    ),
    key(
        "tenants.buffer_delay",
        Kind::Duration,
        "1s",
        "How long a message that was put aside (`append_buffered`) waits at most. If the process dies, what waits is lost.",
    ),
    key(
        "tenants.buffer_size",
        Kind::Size,
        "1MiB",
        "How much of one tenant's messages waits at most, and one message.",
    ),
    key(
        "tenants.administration",
        Kind::Bool,
        "false",
        "Whether this program may count over all tenants: `stores.analytics_of_all`, `trimaran report conversations --all-tenants`.",
    ),
    key(
        "secrets.key",
        Kind::Secret,
        "",
        "What secrets in components' parameters are encrypted under: 32 bytes as 64 hexadecimal digits or base64, or any text of at least 32 characters. Rather use `key_file`.",
    ),
    key(
        "secrets.key_file",
        Kind::Path,
        "",
        "A file that holds that key. Without key and URL for `configuration`, one is made in `data_directory`.",
    ),
    key(
        "secrets.previous_keys_file",
        Kind::Path,
        "",
        "A file with the keys of before, one per line: what is under them can still be read, until `rotate_secrets` has put it under the key in force.",
    ),
    key(
        "cache.memory",
        Kind::Size,
        "",
        "How much memory results that were computed for tenants (figures, statistics, labels) may take, such as `64MiB`. Without it, or `off`, nothing is kept.",
    ),
    key("cache.tenant_memory", Kind::Size, "1MiB", "How much of it one tenant's may take, at least 64KiB."),
    key(
        "cache.time_to_live",
        Kind::Duration,
        "1m",
        "How long a result is kept at most. This process's own writes are seen at once; those of other processes, unless they share a Redis, within this time.",
    ),
    key(
        "cache.redis_url",
        Kind::Secret,
        "",
        "A Redis that the installation's processes share, `redis://host:6379/0`: each sees all others' writes at once, and their results. What is put there is \
         encrypted under `secrets.key`.",
    ),
    key("cache.redis_url_file", Kind::Path, "", "A file that holds that URL."),
];

/// What stands in a key for the name of a tenants' place.
const NAME: &str = "NAME";

/// Every key with its `*` replaced by each area, and `NAME` by each of `places`: all of one area's or place's, then all of
/// the next one's.
pub(super) fn expanded(places: &[String]) -> Vec<(String, &'static KeyDoc)> {
    let stands_for = |doc: &KeyDoc| [doc.key.contains('*'), doc.key.contains(NAME)];
    let mut out = Vec::new();
    for stretch in KEYS.chunk_by(|a, b| stands_for(a) == stands_for(b)) {
        match stands_for(&stretch[0]) {
            [true, _] => {
                for area in super::Area::SQL {
                    out.extend(stretch.iter().map(|doc| (doc.key.replace('*', area.name()), doc)));
                }
            }
            [_, true] => {
                for place in places {
                    out.extend(stretch.iter().map(|doc| (doc.key.replace(NAME, place), doc)));
                }
            }
            _ => out.extend(stretch.iter().map(|doc| (doc.key.to_owned(), doc))),
        }
    }
    out
}

/// The table in Markdown, as the documentation has it.
pub fn markdown() -> String {
    let mut out = String::from("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for doc in KEYS {
        let kind = match doc.kind {
            Kind::Text => "text",
            Kind::Path => "path",
            Kind::Url => "URL",
            Kind::Secret => "secret",
            Kind::Bool => "`true` or `false`",
            Kind::Number => "number",
            Kind::Duration => "duration",
            Kind::DurationOrNever => "duration or `never`",
            Kind::Size => "size",
        };
        let default = if doc.default.is_empty() { String::new() } else { format!("`{}`", doc.default) };
        out.push_str(&format!("| `{}` | {kind} | {default} | {} |\n", doc.key, doc.text));
    }
    out
}
