//! What users are about to do and have done, in a file that outlives the process.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::state::{Change, State};

/// A line of it.
#[derive(Debug, Serialize, Deserialize)]
enum Entry {
    /// A user begins to make changes, each of which may have taken effect from now on.
    Begins { user: usize, changes: Vec<Change> },
    /// All of them have.
    Acknowledged { user: usize },
    /// These of them have, and no other: found out by looking.
    Resolved { user: usize, changes: Vec<Change> },
}

/// The journal. A line is one write, which the kernel keeps even if the process is killed right after.
#[derive(Debug)]
pub(super) struct Journal(Option<Mutex<File>>);

impl Journal {
    pub(super) fn at(path: &Path) -> Self {
        Self(Some(Mutex::new(OpenOptions::new().create(true).append(true).open(path).unwrap())))
    }

    /// For a process that nobody kills.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn begins(&self, user: usize, changes: &[Change]) {
        self.write(|| Entry::Begins { user, changes: changes.to_vec() });
    }

    pub(super) fn acknowledged(&self, user: usize) {
        self.write(|| Entry::Acknowledged { user });
    }

    pub(super) fn resolved(&self, user: usize, changes: &[Change]) {
        self.write(|| Entry::Resolved { user, changes: changes.to_vec() });
    }

    fn write(&self, entry: impl FnOnce() -> Entry) {
        if let Some(file) = &self.0 {
            let mut line = serde_json::to_vec(&entry()).unwrap();
            line.push(b'\n');
            file.lock().unwrap().write_all(&line).unwrap();
        }
    }
}

/// What is known of a user: what was acknowledged, and what may have taken effect beyond.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) state: State,
    pub(super) pending: Vec<Change>,
    pub(super) acknowledged: usize,
}

/// What the journal says of each user. A last line that the kill cut short was never acted upon.
pub(super) fn read(path: &Path) -> BTreeMap<usize, Known> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut users: BTreeMap<usize, Known> = BTreeMap::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        match serde_json::from_str(line).unwrap() {
            Entry::Begins { user, changes } => users.entry(user).or_default().pending = changes,
            Entry::Acknowledged { user } => {
                let known = users.get_mut(&user).unwrap();
                for change in std::mem::take(&mut known.pending) {
                    known.state.apply(&change);
                    known.acknowledged += 1;
                }
            }
            Entry::Resolved { user, changes } => {
                let known = users.get_mut(&user).unwrap();
                known.pending.clear();
                changes.iter().for_each(|change| known.state.apply(change));
            }
        }
    }
    users
}
