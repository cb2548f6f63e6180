//! `trimaran tenant prove-isolation` on real installations.

use serde_json::Value;
use trimaran_backends::testing::postgres;

use crate::tenants::{Installation, ended, users};

/// What there is in the tenants' folder, and who is in the catalogue.
fn traces(installation: &Installation) -> (Vec<std::ffi::OsString>, Value) {
    let folder = std::fs::read_dir(installation.path().join("tenants"));
    let mut files: Vec<_> = folder.into_iter().flatten().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    (files, installation.tenant(&["list"], 0))
}

#[test]
fn isolation_is_proved_on_an_installation_and_leaves_no_trace() {
    for scheme in ["sqlite", "duckdb"] {
        let installation = Installation::new(scheme);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(installation.fill(&users(2)));
        let before = traces(&installation);
        let report = installation.path().join("report.md");
        let report_text = report.to_str().unwrap();
        let proof = installation.tenant(&["prove-isolation", "--output", report_text], 0);
        assert_eq!((&proof["passed"], &proof["failed"]), (&Value::Bool(true), &Value::from(0)), "{proof:#}");
        assert!(proof["checks"].as_array().unwrap().len() > 20, "{proof:#}");
        assert!(std::fs::read_to_string(&report).unwrap().contains("no tenant gets at another's data"));
        assert_eq!(traces(&installation), before, "{scheme}");
        // Nothing that is there is written over, and it is said before anything is done.
        let again =
            installation.command(&["tenant", "prove-isolation", "--output", report_text]).output().unwrap();
        assert!(String::from_utf8_lossy(&again.stderr).contains("--force"), "{again:?}");
        assert!(!again.status.success());
        installation.tenant(&["prove-isolation", "--force", "--output", report_text], 0);
    }
}

#[cfg(unix)]
#[test]
fn what_the_proof_finds_fails_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let installation = Installation::new("sqlite");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(installation.fill(&users(2)));
    // Two tenants' files are swapped.
    let folder = installation.path().join("tenants");
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sqlite"))
        .collect();
    let aside = folder.join("aside");
    std::fs::rename(&files[0], &aside).unwrap();
    std::fs::rename(&files[1], &files[0]).unwrap();
    std::fs::rename(&aside, &files[1]).unwrap();
    let proof = installation.tenant(&["prove-isolation"], 11);
    assert_eq!(proof["passed"], Value::Bool(false));
    std::fs::rename(&files[0], &aside).unwrap();
    std::fs::rename(&files[1], &files[0]).unwrap();
    std::fs::rename(&aside, &files[1]).unwrap();
    // A file that others may read.
    std::fs::set_permissions(&files[0], std::fs::Permissions::from_mode(0o644)).unwrap();
    let proof = installation.tenant(&["prove-isolation"], 11);
    assert_eq!(proof["failed"], Value::from(1), "{proof:#}");
}

/// A server with an owner and an application's role, and a configuration that names both.
struct TwoRoles {
    installation: Installation,
    _roles: trimaran_backends::testing::TestRoles<std::sync::Arc<trimaran_backends::testing::TestDatabase>>,
}

impl TwoRoles {
    fn new() -> Self {
        use secrecy::ExposeSecret as _;

        let installation = Installation::new("sqlite");
        let database = std::sync::Arc::new(postgres::database());
        let roles = trimaran_backends::testing::TestRoles::create(database);
        let url = |location: trimaran_backends::Location| {
            let password = location.server().unwrap().1.unwrap().expose_secret().to_owned();
            (location.to_string(), password)
        };
        let ((url, password), (owner_url, owner_password)) = (url(roles.application()), url(roles.owner()));
        let store = format!(
            "url = '{url}'\npassword = '{password}'\nowner_url = '{owner_url}'\nowner_password = '{owner_password}'\n"
        );
        let two = Self { installation, _roles: roles };
        two.configure(&store, None);
        std::fs::write(two.installation.path().join("store.part"), store).unwrap();
        two
    }

    /// Writes the configuration, with or without the signing key.
    fn configure(&self, store: &str, signing: Option<&str>) {
        let here = self.installation.path().display();
        let signing =
            signing.map_or_else(String::new, |file| format!("signing_key_file = '{here}/{file}.key'\n"));
        let settings = format!(
            "data_directory = '{here}/data'\n[stores.configuration]\n{store}[stores.conversation]\n{store}\
             [tenants]\nkey_file = '{here}/tenants.key'\n{signing}[secrets]\nkey_file = '{here}/secrets.key'\n"
        );
        std::fs::write(self.installation.path().join("trimaran.toml"), settings).unwrap();
    }

    fn with_key(&self, signing: Option<&str>) {
        let store = std::fs::read_to_string(self.installation.path().join("store.part")).unwrap();
        self.configure(&store, signing);
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> Value {
        ended(&self.installation.command(arguments).output().unwrap(), code)
    }

    /// What the check of a tenant setting that SQL changes came to.
    fn of_the_setting(proof: &Value) -> Vec<Value> {
        let checks = proof["checks"].as_array().unwrap().iter();
        checks.filter(|check| check.to_string().contains("tenant setting")).cloned().collect()
    }
}

#[test]
fn isolation_is_proved_without_a_signing_key_with_one_and_after_going_back() {
    let two = TwoRoles::new();
    two.installation.key_file("signing");
    // No key: the proof passes, and says that the setting was not tried and why.
    two.run(&["schema", "up", "--json"], 0);
    let proof = two.installation.tenant(&["prove-isolation"], 0);
    assert_eq!(proof["passed"], Value::Bool(true), "{proof:#}");
    assert!(proof.to_string().contains("settings are not signed"), "{proof:#}");

    // With a key it is tried, and without the key nobody comes in any more.
    two.with_key(Some("signing"));
    two.run(&["schema", "up", "--json"], 0);
    let proof = two.installation.tenant(&["prove-isolation"], 0);
    assert_eq!(proof["passed"], Value::Bool(true), "{proof:#}");
    assert!(!proof.to_string().contains("settings are not signed"), "{proof:#}");
    assert!(!TwoRoles::of_the_setting(&proof).is_empty(), "{proof:#}");
    two.with_key(None);
    let refused = two.installation.tenant(&["prove-isolation"], 2);
    assert!(refused["next"].as_str().unwrap().contains("trimaran schema up --unsigned"), "{refused:#}");

    // The way back that it names.
    two.run(&["schema", "up", "--unsigned", "--json"], 0);
    let proof = two.installation.tenant(&["prove-isolation"], 0);
    assert_eq!(proof["passed"], Value::Bool(true), "{proof:#}");
    assert!(proof.to_string().contains("settings are not signed"), "{proof:#}");
}
