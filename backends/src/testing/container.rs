//! A Postgres in a container.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ExecCommand, IntoContainerPort, Mount, WaitFor};
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, ContainerRequest, GenericImage, ImageExt};
use trimaran_core::{Error, ErrorKind, Result};

use super::admin::{apart, block_on};
use super::server::{PASSWORD, Storage, USER, free_port};
use super::tether::Tether;

/// Names the image to use; no other is tried.
pub(super) const IMAGE_VARIABLE: &str = "TRIMARAN_TEST_POSTGRES_IMAGE";
/// The image of the Docker library.
const OFFICIAL: &str = "postgres:17-alpine";
/// What `scripts/postgres-image.sh` builds.
const BUILT: &str = "trimaran/postgres:local";
/// Marks our containers, so that what a power failure left behind is found.
const LABEL: &str = "trimaran.test-server";
/// A container of ours that is older belongs to no test run any more.
const STALE: Duration = Duration::from_secs(3 * 60 * 60);
/// Where a small disk is mounted.
const DISK: &str = "/small";
/// Where memory is mounted, to keep all data in.
const MEMORY: &str = "/memory";

/// How to have a container.
pub(super) struct Image(String);

/// A running container.
pub(super) struct ContainerServer {
    /// `None` only while it is dropped.
    container: Option<Container<GenericImage>>,
    port: u16,
    storage: Storage,
    // `None` where there is no docker command: then the next run removes the container.
    _tether: Option<Tether>,
}

/// Whether a Docker engine answers, within seconds, and which image it can run.
///
/// # Errors
/// `Unavailable`, saying what is missing.
pub(super) fn find_image() -> Result<Image> {
    let operation = "find a Docker engine with a Postgres image";
    let unavailable = |why: String| Error::new(ErrorKind::Unavailable, operation).context(why);
    let (chosen, present) = block_on(operation, async {
        let docker = client(operation).await?;
        sweep(&docker).await;
        let candidates = match std::env::var(IMAGE_VARIABLE) {
            Ok(name) => vec![name],
            Err(_) => vec![OFFICIAL.to_owned(), BUILT.to_owned()],
        };
        for name in &candidates {
            if docker.inspect_image(name).await.is_ok() {
                return Ok((name.clone(), true));
            }
        }
        Ok((candidates[0].clone(), false))
    })?;
    if !present {
        let (name, tag) = split(&chosen);
        let _pulled = GenericImage::new(name, tag).pull_image().map_err(|e| {
            unavailable(format!("the image {chosen} is not here and can't be pulled")).source(e)
        })?;
    }
    Ok(Image(chosen))
}

/// A client whose engine answered.
async fn client(operation: &str) -> Result<Docker> {
    let unavailable =
        |why: &str| Error::new(ErrorKind::Unavailable, operation.to_owned()).context(why.to_owned());
    let docker =
        docker_client_instance().await.map_err(|e| unavailable("no Docker engine is set up").source(e))?;
    match tokio::time::timeout(Duration::from_secs(5), docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(e)) => Err(unavailable("no Docker engine answers").source(e)),
        Err(_) => Err(unavailable("the Docker engine takes more than 5 s to answer")),
    }
}

/// Removes what runs left behind that ended with their machine. Best effort: it is no concern of this run.
async fn sweep(docker: &Docker) {
    let filters = std::collections::HashMap::from([("label", vec![LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for container in docker.list_containers(Some(options)).await.unwrap_or_default() {
        let born = container.created.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
        if let (Some(id), Some(born)) = (container.id, born)
            && born + STALE < now
        {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            let _removed = docker.remove_container(&id, Some(options)).await;
        }
    }
}

/// `registry:5000/name:tag` in its two parts.
fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

impl Image {
    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// Starts a server with `settings` whose data is on `storage`.
    pub(super) fn start(&self, settings: &[(&str, &str)], storage: Storage) -> Result<ContainerServer> {
        let failed = |e: testcontainers::TestcontainersError| {
            Error::new(ErrorKind::Unavailable, format!("start a container of {}", self.0)).source(e)
        };
        // A port of our choice, for the engine would choose another one at every restart. Somebody else may take it
        // first: then the next is tried.
        let mut attempts = 0;
        let (container, port) = loop {
            let port = free_port()?;
            match apart(|| self.request(settings, storage, port).start()) {
                Ok(container) => break (container, port),
                Err(e) if attempts == 2 => return Err(failed(e)),
                Err(_) => attempts += 1,
            }
        };
        let tether = Tether::tie("docker rm -f -v \"$1\"", &[container.id()]).ok().filter(|_| has_command());
        let server = ContainerServer { container: Some(container), port, storage, _tether: tether };
        if let Some(path) = server.small_disk_path() {
            server.run(&["install", "-d", "-o", "postgres", "-m", "700", &path])?;
        }
        Ok(server)
    }

    fn request(
        &self,
        settings: &[(&str, &str)],
        storage: Storage,
        port: u16,
    ) -> ContainerRequest<GenericImage> {
        let (name, tag) = split(&self.0);
        let mut command = vec!["postgres".to_owned()];
        for (setting, value) in settings {
            command.extend(["-c".to_owned(), format!("{setting}={value}")]);
        }
        let request = GenericImage::new(name, tag)
            .with_exposed_port(5432.tcp())
            // On stdout the official image says it too, of the server that only sets up the cluster.
            .with_wait_for(WaitFor::message_on_stderr("database system is ready to accept connections"))
            .with_env_var("POSTGRES_USER", USER)
            .with_env_var("POSTGRES_PASSWORD", PASSWORD)
            .with_env_var("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C --no-sync")
            .with_label(LABEL, std::process::id().to_string())
            .with_startup_timeout(Duration::from_secs(120))
            .with_mapped_port(port, 5432.tcp())
            .with_cmd(command);
        match storage {
            Storage::Disk => request,
            Storage::SmallDisk(bytes) => {
                let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
                request.with_mount(Mount::tmpfs_mount(DISK).with_size_bytes(bytes))
            }
            Storage::Memory => request
                .with_mount(Mount::tmpfs_mount(MEMORY))
                .with_env_var("PGDATA", format!("{MEMORY}/data")),
        }
    }
}

/// Whether the tether's command is there.
fn has_command() -> bool {
    std::process::Command::new("docker").arg("--version").output().is_ok_and(|out| out.status.success())
}

impl ContainerServer {
    /// The address from here.
    pub(super) fn address(&self) -> Result<(String, u16)> {
        let host = self.within("find", |container| container.get_host())?;
        Ok((host.to_string(), self.port))
    }

    /// Shuts the server down, cleanly.
    pub(super) fn stop(&self) -> Result<()> {
        // SIGINT, Postgres' fast shutdown: SIGTERM would wait for every client to leave.
        self.signal("SIGINT")?;
        self.await_end()
    }

    /// Ends all its processes at once.
    pub(super) fn kill(&self) -> Result<()> {
        self.signal("SIGKILL")?;
        self.await_end()
    }

    /// Starts it again.
    pub(super) fn start(&self) -> Result<()> {
        if !matches!(self.storage, Storage::Disk) {
            return Err(Error::new(ErrorKind::Unsupported, "start the test server again")
                .context("its data is in memory and ended with the container"));
        }
        self.within("start", |container| container.start())
    }

    /// Whether it runs; if not, with its last words.
    pub(super) fn check_alive(&self) -> Result<()> {
        if self.within("look at", |container| container.is_running())? {
            return Ok(());
        }
        let words = self.within("listen to", |container| container.stderr_to_vec()).unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        Err(Error::new(ErrorKind::Unavailable, "run a test server in a container")
            .context(words.lines().last().unwrap_or("it ended without a word").to_owned()))
    }

    /// The directory on the small disk that tables are kept in, if it has one.
    pub(super) fn small_disk_path(&self) -> Option<String> {
        matches!(self.storage, Storage::SmallDisk(_)).then(|| format!("{DISK}/tables"))
    }

    /// Takes up `bytes` of the small disk.
    pub(super) fn occupy_disk(&self, bytes: u64) -> Result<()> {
        self.run(&["sh", "-c", &format!("head -c {bytes} /dev/zero >{DISK}/ballast")])
    }

    /// Gives them back.
    pub(super) fn free_disk(&self) -> Result<()> {
        self.run(&["rm", "-f", &format!("{DISK}/ballast")])
    }

    fn run(&self, command: &[&str]) -> Result<()> {
        let (words, code) = self.within("run in", |container| {
            let mut done = container.exec(ExecCommand::new(command.to_vec()))?;
            Ok((done.stderr_to_vec()?, done.exit_code()?))
        })?;
        match code {
            Some(0) => Ok(()),
            code => {
                Err(Error::new(ErrorKind::Unavailable, format!("run {} in the container", command.join(" ")))
                    .context(format!("exit code {code:?}: {}", String::from_utf8_lossy(&words).trim())))
            }
        }
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let operation = format!("send {signal} to the container");
        let id = self.container.as_ref().map(Container::id).unwrap_or_default();
        block_on(&operation, async {
            let docker = client(&operation).await?;
            let options = KillContainerOptionsBuilder::new().signal(signal).build();
            docker
                .kill_container(id, Some(options))
                .await
                .map_err(|e| Error::new(ErrorKind::Unavailable, operation.clone()).source(e))
        })
    }

    fn await_end(&self) -> Result<()> {
        for _ in 0..600 {
            if !self.within("look at", |container| container.is_running())? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Error::new(ErrorKind::Timeout, "end the test server")
            .context("the container still runs after 30 s"))
    }

    /// Does something with the container, on a thread of its own: its calls block on a runtime that they bring along.
    fn within<T: Send>(
        &self,
        verb: &str,
        work: impl FnOnce(&Container<GenericImage>) -> Result<T, testcontainers::TestcontainersError> + Send,
    ) -> Result<T> {
        let failed = || Error::new(ErrorKind::Unavailable, format!("{verb} the test server's container"));
        let container = self.container.as_ref().ok_or_else(failed)?;
        apart(|| work(container)).map_err(|e| failed().source(e))
    }
}

impl Drop for ContainerServer {
    fn drop(&mut self) {
        let container = self.container.take();
        apart(move || drop(container));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_a_name_and_a_tag_even_behind_a_registry_with_a_port() {
        assert_eq!(split("postgres:17"), ("postgres", "17"));
        assert_eq!(split("host:5000/postgres"), ("host:5000/postgres", "latest"));
        assert_eq!(split("host:5000/postgres:17"), ("host:5000/postgres", "17"));
    }
}
