//! Where a report goes, and how what users wrote is shown in it.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::Path;

use trimaran_core::{Error, ErrorKind, Result};

/// What the page of a command that ended with an error begins with: the next one may take its place, for it is often the same
/// command again.
pub(crate) const UNFINISHED: &str = "<!-- The command did not end: the next one replaces this page. -->";

/// How many characters of a group's name are shown.
const SHOWN: usize = 80;

fn is_there(path: &Path) -> Error {
    Error::new(ErrorKind::Configuration, format!("write the report to {}", path.display()))
        .context("there is such a file")
        .hint("name another one, or replace it with --force")
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return is_there(path);
        }
        Error::new(ErrorKind::Configuration, format!("write the report to {}", path.display()))
            .source(error)
            .hint("name a file in a folder that you may write to")
    }
}

/// Whether a page is there that says of itself that it may be replaced.
fn is_unfinished(path: &Path) -> bool {
    let mut head = Vec::new();
    path.symlink_metadata().is_ok_and(|there| there.is_file())
        && std::fs::File::open(path)
            .and_then(|file| file.take(UNFINISHED.len() as u64).read_to_end(&mut head))
            .is_ok_and(|_| head == UNFINISHED.as_bytes())
}

/// Says early that the report can't be written there.
///
/// # Errors
/// `Configuration` if something is there and shall stay.
pub(crate) fn check(path: &Path, force: bool) -> Result<()> {
    match force || path.symlink_metadata().is_err() || is_unfinished(path) {
        true => Ok(()),
        false => Err(is_there(path)),
    }
}

/// Writes it: to a new file, whole or not at all, for its owner alone; with `force`, or if that one is of a command that did not
/// end, in the place of one that is there.
///
/// # Errors
/// `Configuration` if it can't be written there.
pub(crate) fn write(text: &str, output: Option<&Path>, force: bool) -> Result<()> {
    let Some(path) = output else {
        // A reader that closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return Ok(());
    };
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.partial", std::process::id()));
    let draft = Path::new(&draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft).map_err(failed(path))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        if force || is_unfinished(path) {
            return std::fs::rename(draft, path);
        }
        // A link is made only where nothing is, whoever else writes there meanwhile.
        std::fs::hard_link(draft, path).and_then(|()| std::fs::remove_file(draft))
    });
    written.map_err(|error| {
        let _ = std::fs::remove_file(draft);
        failed(path)(error)
    })
}

/// What a user wrote, on one line and harmless: control characters, and those that turn the direction of writing or can't be seen, are
/// shown as their numbers.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// The same of a group's name, cut off where it is long.
pub(crate) fn shown_short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", shown(&text[..end])),
        None => shown(text),
    }
}

/// Marks of direction, zero-width characters, line and paragraph separators, non-characters (Unicode's general categories Cf, Zl, Zp, as
/// far as they change what is seen).
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{e0000}'..='\u{e007f}'
    ) || u32::from(character) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_or_does_harm_is_shown_as_its_number() {
        assert_eq!(shown("a\0b\u{1b}[31m\u{202e}x\nÄ日"), r"a\u{0}b\u{1b}[31m\u{202e}x\u{a}Ä日");
        assert_eq!(shown_short(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
