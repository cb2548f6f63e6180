//! What an engine can do beyond what every engine must.

/// Plain answers, one per ability that engines differ in. The conformance suite holds each engine to its answers, and the
/// table in the documentation is made from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// Declares and enforces foreign keys. Where not, repositories check parents and cascade themselves.
    pub foreign_keys: bool,
    /// Has savepoints. Units of work use none; a consumer's SQL may.
    pub savepoints: bool,
    /// Several transactions may write at a time, and meet a conflict only over the same rows.
    pub concurrent_writers: bool,
    /// Offers serializable transactions: write skew can't happen in one.
    pub serializable: bool,
    /// Several processes may have the database open.
    pub many_processes: bool,
    /// Keeps tenants apart by row-level security; where not, each tenant has a file of its own.
    pub row_level_security: bool,
    /// Holds U+0000 in text by itself; where not, the text codec carries it.
    pub nul_in_text: bool,
    /// Interrupts a running query when its future is dropped.
    pub interrupts: bool,
}

impl Capabilities {
    /// Nothing beyond the least.
    pub const LEAST: Self = Self {
        foreign_keys: false,
        savepoints: false,
        concurrent_writers: false,
        serializable: false,
        many_processes: false,
        row_level_security: false,
        nul_in_text: false,
        interrupts: false,
    };

    /// Name and answer of each, in the order of the documentation's table.
    pub const fn answers(&self) -> [(&'static str, bool); 8] {
        [
            ("foreign keys", self.foreign_keys),
            ("savepoints", self.savepoints),
            ("concurrent writers", self.concurrent_writers),
            ("serializable transactions", self.serializable),
            ("many processes", self.many_processes),
            ("row-level security", self.row_level_security),
            ("U+0000 in text", self.nul_in_text),
            ("interrupts dropped queries", self.interrupts),
        ]
    }
}
