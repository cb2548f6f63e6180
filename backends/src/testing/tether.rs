//! What must be undone when this process ends, however it ends.
//!
//! A shell waits for its standard input to close, which the kernel sees to when this process exits, panics or is
//! killed, and then runs a command. It has a process group of its own, so a Ctrl-C meant for the tests doesn't reach
//! it. A destructor can't do this: statics are not dropped, and nothing is dropped on SIGKILL.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use trimaran_core::{Error, ErrorKind, Result};

/// Dropping it, while the process lives, calls the command off.
#[derive(Debug)]
pub(super) struct Tether(Child);

impl Tether {
    /// Has `script`, a line of POSIX shell, run with `arguments` as `$1`, `$2`, … when this process ends.
    pub(super) fn tie(script: &str, arguments: &[&str]) -> Result<Self> {
        let script = format!("trap '' INT TERM HUP; read -r _ && exit 0; {script}");
        Command::new("sh")
            .args(["-c", &script, "tether"])
            .args(arguments)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Self)
            .map_err(|e| Error::new(ErrorKind::Unavailable, "tie a test server to this process").source(e))
    }
}

impl Drop for Tether {
    fn drop(&mut self) {
        let told = self.0.stdin.take().is_some_and(|mut stdin| stdin.write_all(b"\n").is_ok());
        if told {
            // Best effort: a shell that was told to stand down ends at once.
            let _ended = self.0.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_runs_when_the_pipe_closes_and_not_when_it_is_called_off() {
        let dir = tempfile::tempdir().unwrap();
        let (ran, not) = (dir.path().join("ran"), dir.path().join("not"));
        drop(Tether::tie("touch \"$1\"", &[not.to_str().unwrap()]).unwrap());
        let mut tether = Tether::tie("touch \"$1\"", &[ran.to_str().unwrap()]).unwrap();
        // As the kernel does at the end of a process.
        drop(tether.0.stdin.take());
        assert!(tether.0.wait().unwrap().success());
        assert!(ran.exists() && !not.exists());
    }
}
