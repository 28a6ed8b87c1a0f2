//! Platforms: the real binary, in a data directory of this run.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use devstack::kafka;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{MappedMutexGuard, OnceCell, oneshot};
use url::Url;

use crate::{
    checkout::Checkout,
    documents::{self, Files},
    keeper,
    session::Session,
    waiting::{eventually, within},
};

const STOA: &str = env!("CARGO_BIN_EXE_stoa");

/// In options: the data directory of the platform.
pub(crate) const HERE: &str = "{data}";

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(150);

/// Where a platform answers, as `stoa up --output json` says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Connection {
    pub(crate) api: Url,
    pub(crate) gateway: Url,
    pub(crate) issuer: Url,
    pub(crate) kafka: String,
    pub(crate) registry: Url,
    pub(crate) git: String,
}

/// A platform, running or not.
pub(crate) struct Platform {
    pub(crate) data: PathBuf,
    options: Vec<String>,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    connection: Connection,
}

/// The platform that all tests share which break nothing.
static SHARED: OnceCell<Option<Platform>> = OnceCell::const_new();

/// The platform of tests that rewrite history, stop the relay, or start again: one of them at a time.
static APART: tokio::sync::Mutex<Option<Platform>> = tokio::sync::Mutex::const_new(None);

/// A session on the shared platform; nothing when this machine cannot have one.
pub(crate) async fn shared() -> Option<Session> {
    let platform = SHARED.get_or_init(|| Platform::start("shared", &["--demo"], seed())).await;
    Some(platform.as_ref()?.session().await)
}

/// The other platform, for one test at a time.
pub(crate) async fn apart() -> Option<MappedMutexGuard<'static, Platform>> {
    let mut turn = APART.lock().await;
    if turn.is_none() {
        *turn = Platform::start("apart", &["--demo"], seed()).await;
    }
    tokio::sync::MutexGuard::try_map(turn, Option::as_mut).ok()
}

/// Two tenants with people, whom the token issuer knows because they are there before it starts.
fn seed() -> Files {
    Files::from([
        documents::tenant("acme", ""),
        documents::users("acme", &[("alice", "tenant-admin"), ("victor", "viewer")]),
        documents::tenant("globex", ""),
        documents::users("globex", &[("gina", "tenant-admin")]),
    ])
}

impl Platform {
    /// Starts one with a repository that holds `files`; nothing, and a line that says why, when this machine lacks
    /// what it needs.
    pub(crate) async fn start(name: &str, options: &[&str], files: Files) -> Option<Self> {
        if let Some(why) = missing(options).await {
            skipped(&why);
            return None;
        }
        let data = directory(name);
        fs::create_dir_all(&data).unwrap();
        let options =
            options.iter().map(|option| (*option).replace(HERE, &data.display().to_string())).collect();
        fs::write(data.join("ports.json"), ports().to_string()).unwrap();
        let platform = Self { data, options, running: Mutex::default() };
        let remote = platform.data.join("repository.git").display().to_string();
        let made = platform.stoa(&["init", &remote]);
        assert!(made.status.success(), "{made:?}");
        Checkout::of(&remote).publish(&files, "Seed the tests");
        platform.up().await;
        Some(platform)
    }

    /// Starts it, for the first time or again.
    pub(crate) async fn up(&self) {
        let log = self.data.join("up.log");
        let mut command = keeper::tied(STOA);
        command.arg("--data").arg(&self.data).args(["up", "--light", "--output", "json"]);
        command.args(&self.options).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::options().create(true).append(true).open(&log).unwrap());
        let mut child = keeper::spawn(command);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (send, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let (mut text, mut send) = (String::new(), Some(send));
            for line in lines {
                text.push_str(&line);
                if let Ok(connection) = serde_json::from_str::<Connection>(&text)
                    && let Some(send) = send.take()
                {
                    let _ = send.send(connection);
                }
            }
        });
        let told = tokio::time::timeout(START, ready).await;
        let Ok(Ok(connection)) = told else {
            let _ = child.kill();
            panic!("`stoa up` did not come up:\n{}", fs::read_to_string(&log).unwrap_or_default());
        };
        *self.running() = Some(Running { child, connection });
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connection(&self) -> Connection {
        self.running().as_ref().expect("it runs").connection.clone()
    }

    /// Somebody who works with it.
    pub(crate) async fn session(&self) -> Session {
        Session::open(&self.data, self.connection()).await
    }

    /// Runs the command line on this platform.
    pub(crate) fn stoa(&self, arguments: &[&str]) -> Output {
        stoa(&self.data, arguments)
    }

    /// Stops it as Ctrl-C does, and waits.
    pub(crate) async fn stop(&self) {
        let pid = self.running().as_ref().expect("it runs").child.id();
        keeper::signal("TERM", pid);
        let ended = within(Duration::from_mins(1), "the platform stops", async || {
            self.running().as_mut().unwrap().child.try_wait().unwrap()
        });
        assert!(
            ended.await.success(),
            "{}",
            fs::read_to_string(self.data.join("up.log")).unwrap_or_default()
        );
        *self.running() = None;
    }

    /// Kills it with everything in it.
    pub(crate) async fn kill(&self) {
        let pid = self.running().as_ref().expect("it runs").child.id();
        keeper::signal("KILL", pid);
        eventually("the platform is dead", async || {
            self.running().as_mut().unwrap().child.try_wait().unwrap()
        })
        .await;
        *self.running() = None;
    }

    /// Starts a second replica of a service that runs by itself: with its settings, but these.
    pub(crate) async fn twin(&self, service: &str, own: &[(&str, &str)]) -> Twin {
        let pid = self.pid(service).expect("the first replica runs");
        let settings = fs::read(format!("/proc/{pid}/environ")).unwrap();
        let folder = self.data.join(format!("{service}-twin"));
        fs::create_dir_all(&folder).unwrap();
        let mut command = keeper::tied(Path::new(STOA).with_file_name(service).to_str().unwrap());
        let pairs = String::from_utf8(settings).unwrap();
        command.env_clear().envs(pairs.split('\0').filter_map(|pair| pair.split_once('=')));
        let address = format!("127.0.0.1:{}", free_port());
        command.env("SERVER_ADDRESS", &address).env("KAFKA_INSTANCE_ID", "twin").envs(own.iter().copied());
        let log = File::create(self.data.join(format!("{service}-twin.log"))).unwrap();
        command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let twin =
            Twin { child: keeper::spawn(command), address: format!("http://{address}/").parse().unwrap() };
        let ready = twin.address.join("health/ready").unwrap();
        within(START, &format!("the second {service} is ready"), async || {
            let answer = reqwest::get(ready.clone()).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        twin
    }

    /// The process of a part that runs by itself; nothing while it is not running.
    pub(crate) fn pid(&self, part: &str) -> Option<u32> {
        let path = devstack::process::Places::under(&self.data).pid_file_of(part);
        let mark: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let pid = u32::try_from(mark["pid"].as_u64()?).ok()?;
        Path::new(&format!("/proc/{pid}")).exists().then_some(pid)
    }
}

/// A second replica of a service.
pub(crate) struct Twin {
    child: Child,
    pub(crate) address: Url,
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some(running) = self.running().as_mut() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.data);
        }
    }
}

/// Runs the command line on the platform of `data`.
pub(crate) fn stoa(data: &Path, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(STOA);
    command.arg("--data").arg(data).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What this machine lacks.
async fn missing(options: &[&str]) -> Option<String> {
    let Some(servers) = devstack::cache::servers() else {
        return Some("no cache directory is known: set HOME".to_owned());
    };
    if let Err(error @ kafka::Error::Missing { .. }) = kafka::Install::fetch(&servers, |_| {}).await {
        return Some(error.to_string());
    }
    let services = ["control-plane-api", "deployment-worker", "mcp-gateway"];
    let absent = services.into_iter().find(|name| !Path::new(STOA).with_file_name(name).is_file());
    match absent {
        Some(name) if options.contains(&"--separate") => {
            Some(format!("`{name}` is not built beside `stoa`: run `cargo build --workspace --bins` first"))
        }
        _ => None,
    }
}

/// Says what is not tested here.
pub(crate) fn skipped(why: &str) {
    eprintln!("SKIPPED platform: {why}");
    if let Some(list) = std::env::var_os("STOA_SKIPPED") {
        let mut list = File::options().create(true).append(true).open(list).unwrap();
        writeln!(list, "platform: {why}").unwrap();
    }
}

/// A folder of this run; what a run that has ended left behind is removed.
fn directory(name: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("platform");
    for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
        let run = entry.file_name();
        if !Path::new("/proc").join(&run).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    all.join(std::process::id().to_string()).join(name)
}

/// A free port, away from those that the system hands out by itself.
fn free_port() -> u16 {
    static NEXT: Mutex<u32> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    loop {
        let port = 20_000 + (std::process::id() * 40 + *next) % 12_000;
        *next += 1;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A free port for every part.
fn ports() -> Value {
    let parts = [
        "kafka",
        "kafka-controller",
        "schema-registry",
        "control-plane-api",
        "deployment-worker",
        "mcp-gateway",
        "token-issuer",
        "sample-backend",
    ];
    parts
        .into_iter()
        .map(|part| (part.to_owned(), json!(free_port())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
