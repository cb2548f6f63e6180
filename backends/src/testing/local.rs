//! A Postgres from this machine's own binaries, in a throw-away directory.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use trimaran_core::{Error, ErrorKind, Result};

use super::disk::SmallDisk;
use super::server::{PASSWORD, Storage, USER, free_port};
use super::tether::Tether;

/// At the end of this process: ends the server (SIGQUIT: at once), waits for its processes to go, removes the rest.
const CLEAN_UP: &str = "kill -QUIT \"$1\"; n=0; while kill -0 \"$1\" && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.1; done; \
     rm -rf \"$2\"";

/// Linux' file system in memory.
const MEMORY: &str = "/dev/shm";
/// What must be free on it, in bytes, before a run's databases go there: a container may have 64 MiB and no more.
const ROOM: u64 = 4 << 30;

/// The directory that `initdb` and `postgres` are in.
pub(super) struct Binaries(PathBuf);

/// A server started from them.
pub(super) struct LocalServer {
    binaries: Binaries,
    port: u16,
    settings: Vec<String>,
    account: Option<(u32, u32)>,
    running: Option<Running>,
    disk: Option<SmallDisk>,
    // Last: removed after everything in it.
    directory: TempDir,
}

struct Running {
    child: Child,
    // Before the child is gone its number must not be signalled any more: it may become another's.
    tether: Tether,
}

impl Binaries {
    /// Looks where `pg_config` points, where Debian keeps them (the newest version first), and in PATH.
    ///
    /// # Errors
    /// `NotFound`, naming the places.
    pub(super) fn find() -> Result<Self> {
        let mut places = Vec::new();
        if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
            places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        }
        let mut debian: Vec<_> =
            fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
        debian.sort_by_key(|entry| {
            std::cmp::Reverse(entry.file_name().to_str().and_then(|version| version.parse::<u32>().ok()))
        });
        places.extend(debian.into_iter().map(|entry| entry.path().join("bin")));
        places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        places
            .into_iter()
            .find(|at| at.join("initdb").is_file() && at.join("postgres").is_file())
            .map(Self)
            .ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "find Postgres server binaries").context(
                    "no initdb and postgres where pg_config points, in /usr/lib/postgresql or in PATH",
                )
            })
    }

    /// Where they are.
    pub(super) fn directory(&self) -> &Path {
        &self.0
    }

    /// Makes a cluster on `storage` and starts a server with `settings`.
    pub(super) fn start(self, settings: &[(&str, &str)], storage: Storage) -> Result<LocalServer> {
        let mut folder = tempfile::Builder::new();
        folder.prefix("trimaran-postgres");
        let directory = match storage {
            Storage::Memory if has_room() => folder.tempdir_in(MEMORY),
            Storage::Memory | Storage::Disk | Storage::SmallDisk(_) => folder.tempdir(),
        }
        .map_err(|e| failed(&e))?;
        let account = server_account()?;
        let own = |path: &Path| match account {
            Some((user, group)) => chown(path, Some(user), Some(group)).map_err(|e| failed(&e)),
            None => Ok(()),
        };
        own(directory.path())?;
        let disk = match storage {
            Storage::SmallDisk(bytes) => Some(SmallDisk::create(directory.path(), bytes)?),
            Storage::Disk | Storage::Memory => None,
        };
        if let Some(disk) = &disk {
            fs::create_dir(disk.tables()).map_err(|e| failed(&e))?;
            own(&disk.tables())?;
        }
        let password = directory.path().join("password");
        fs::write(&password, PASSWORD).map_err(|e| failed(&e))?;
        own(&password)?;
        let mut server = LocalServer {
            port: free_port()?,
            settings: settings
                .iter()
                .flat_map(|(name, value)| ["-c".into(), format!("{name}={value}")])
                .collect(),
            binaries: self,
            account,
            running: None,
            disk,
            directory,
        };
        server.initdb(&password)?;
        // Another process may take the port before the server does: then the next is tried.
        let mut attempts = 0;
        while let Err(error) = server.start().and_then(|()| server.await_port()) {
            if attempts == 2 {
                return Err(error);
            }
            attempts += 1;
            server.running = None;
            server.port = free_port()?;
        }
        Ok(server)
    }
}

/// Whether memory has a file system with enough room.
fn has_room() -> bool {
    rustix::fs::statvfs(MEMORY).is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) >= ROOM)
}

/// Root may not run a server: the account to do it as, where this process is root's.
pub(super) fn server_account() -> Result<Option<(u32, u32)>> {
    let own = tempfile::tempfile().and_then(|file| file.metadata()).map_err(|e| failed(&e))?;
    if own.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").map_err(|e| failed(&e))?;
    let accounts: HashMap<&str, (u32, u32)> = accounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            Some((name, (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?)))
        })
        .collect();
    ["postgres", "nobody"].iter().find_map(|name| accounts.get(name).copied()).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Unavailable, "run a Postgres server as root")
            .context("Postgres refuses root, and there is no user postgres or nobody to run it as")
    })
}

fn failed(e: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "run a Postgres server from local binaries").context(e.to_string())
}

impl LocalServer {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.0.join(program));
        command.arg("-D").arg(self.directory.path().join("data")).current_dir(self.directory.path());
        command.env("LC_ALL", "C").stdin(Stdio::null()).process_group(0);
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    fn initdb(&self, password: &Path) -> Result<()> {
        let output = self
            .command("initdb")
            .args(["-U", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pwfile")
            .arg(password)
            .output()
            .map_err(|e| failed(&e))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, "make a Postgres cluster")
            .context(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// The address.
    pub(super) fn address(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }

    /// Starts the server on its port.
    pub(super) fn start(&mut self) -> Result<()> {
        let log = fs::File::create(self.log()).map_err(|e| failed(&e))?;
        let child = self
            .command("postgres")
            .args([
                "-p",
                &self.port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(&self.settings)
            .envs(self.disk.iter().flat_map(SmallDisk::environment))
            .stdout(log.try_clone().map_err(|e| failed(&e))?)
            .stderr(log)
            .spawn()
            .map_err(|e| failed(&e))?;
        let directory = self.directory.path().to_string_lossy();
        let tether = Tether::tie(CLEAN_UP, &[&child.id().to_string(), &directory])?;
        self.running = Some(Running { child, tether });
        Ok(())
    }

    /// Shuts it down, cleanly and without waiting for clients.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.end("INT")
    }

    /// Ends all its processes at once.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.end("KILL")
    }

    fn end(&mut self, signal: &str) -> Result<()> {
        let Some(Running { mut child, tether }) = self.running.take() else { return Ok(()) };
        drop(tether);
        let mut processes = vec![child.id().to_string()];
        if signal == "KILL" {
            // Postgres puts each backend into a group of its own; left alone they would finish what they are at.
            processes.extend(children(child.id()));
        }
        // The shell's own kill: the command of that name is not everywhere.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill \"$@\"", "kill", &format!("-{signal}")])
            .args(&processes)
            .stderr(Stdio::null());
        kill.status().map_err(|e| failed(&e))?;
        child.wait().map_err(|e| failed(&e))?;
        Ok(())
    }

    /// Whether it runs; if not, with its last words.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        let ended = match &mut self.running {
            Some(running) => running.child.try_wait().map_err(|e| failed(&e))?.is_some(),
            None => true,
        };
        if !ended {
            return Ok(());
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let words: Vec<_> = log.lines().filter(|line| !line.is_empty()).collect();
        Err(Error::new(ErrorKind::Unavailable, "run a Postgres server from local binaries")
            .context(words[words.len().saturating_sub(3)..].join("; ")))
    }

    /// Waits until it listens: another server may hold the port.
    fn await_port(&mut self) -> Result<()> {
        for _ in 0..600 {
            self.check_alive()?;
            if fs::read_to_string(self.log()).is_ok_and(|log| log.contains("ready to accept connections")) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Error::new(ErrorKind::Timeout, "start a Postgres server from local binaries")
            .context("not ready in 30 s"))
    }

    /// The small disk, if it has one.
    pub(super) fn disk(&self) -> Option<&SmallDisk> {
        self.disk.as_ref()
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // Best effort: what is left goes with the temporary directory.
        let _ended = self.end("QUIT");
    }
}

/// The processes that `parent` started, as the kernel lists them.
fn children(parent: u32) -> Vec<String> {
    let parent = parent.to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| {
            let line = fs::read_to_string(process.path().join("stat")).ok()?;
            // `number (name) state parent …`, and a name may hold anything.
            let (_, after_name) = line.rsplit_once(") ")?;
            let is_child = after_name.split(' ').nth(1) == Some(&parent);
            is_child.then(|| process.file_name().to_string_lossy().into_owned())
        })
        .collect()
}
