//! A Redis of this machine's own binary, for one test.

use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use trimaran_core::{Error, ErrorKind, Result};

use super::server::give_up;
use super::tether::Tether;

/// A Redis that listens at a socket in a throw-away folder and writes nothing to disk. Dropped, it ends.
#[derive(Debug)]
pub struct TestRedis {
    running: Option<(Child, Tether)>,
    directory: TempDir,
}

impl TestRedis {
    /// Starts one.
    ///
    /// # Panics
    /// If there is no binary, or if it doesn't start.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("trimaran-redis").tempdir();
        let directory = directory
            .map_err(|e| Error::new(ErrorKind::Unavailable, "start Redis").source(e))
            .unwrap_or_else(give_up);
        let mut server = Self { running: None, directory };
        server.start_again();
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Kills it: all that it held is gone.
    pub fn kill(&mut self) {
        if let Some((mut process, _tether)) = self.running.take() {
            // Best effort: it may have ended by itself.
            let _killed = process.kill();
            let _ended = process.wait();
        }
    }

    /// Starts it anew, empty, at the same place, if it doesn't run.
    ///
    /// # Panics
    /// If it doesn't start.
    pub fn start_again(&mut self) {
        if self.running.is_none() {
            self.run().unwrap_or_else(give_up);
        }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    fn run(&mut self) -> Result<()> {
        let failed = |why: String| Error::new(ErrorKind::Unavailable, "start Redis").context(why);
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocketperm", "700"]);
        command.arg("--unixsocket").arg(self.socket()).arg("--dir").arg(self.directory.path());
        // A group of its own: a Ctrl-C is meant for the tests.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| {
            failed(error.to_string()).hint("apt-get install redis-server, or scripts/setup.sh test")
        })?;
        let tether = Tether::tie("kill -9 \"$1\"", &[&process.id().to_string()])?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while UnixStream::connect(self.socket()).is_err() {
            if let Ok(Some(status)) = process.try_wait() {
                return Err(failed(format!("it ended: {status}")));
            }
            if Instant::now() > deadline {
                return Err(failed("it does not listen".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.running = Some((process, tether));
        Ok(())
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
