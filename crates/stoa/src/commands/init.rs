//! The first content of a repository.

use std::path::Path;

use anyhow::{Context as _, bail};
use gitops::{Author, Initial, Remote, Repository, Trailers, Writer};
use runtime::{Clock as _, Random as _, SystemClock, SystemRandom};
use secrecy::SecretSlice;

use crate::{cli::Init, output};

pub(super) async fn run(arguments: Init) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || init(&arguments)).await.context("writing the repository")?
}

fn init(arguments: &Init) -> anyhow::Result<()> {
    let remote = Remote::at(&arguments.remote);
    if !arguments.remote.contains("://") && !Path::new(&arguments.remote).exists() {
        Repository::create_remote(Path::new(&arguments.remote), &remote.branch)
            .context("making the repository")?;
    }
    let mirror = tempfile::tempdir().context("making a folder for the mirror")?;
    let repository = Repository::open_or_clone(remote, mirror.path()).context("reading the repository")?;
    if repository.head().context("reading the repository")?.is_some() {
        bail!("`{}` has content already", arguments.remote);
    }
    let (now, random) = (SystemClock.now(), SystemRandom::default());
    let initial = Initial {
        base_domain: arguments.domain.clone(),
        gateways: arguments.gateway.iter().cloned().collect(),
        administrator: arguments.admin.clone(),
        email: arguments.email.to_lowercase(),
        platform_uid: random.id(now),
    };
    let files = initial.files();
    // Nobody asks later whether this commit was the platform's own, so the key may be forgotten.
    let trailers = Trailers::new(&SecretSlice::from(random.bits().to_be_bytes().repeat(4)));
    let author = Author { name: initial.administrator, email: initial.email, at: now };
    let commit = Writer::new(repository, trailers)
        .commit(None, &files, &author, "Begin the platform's repository", "init")
        .context("writing the repository")?;
    output::line(&format!("{} files in commit {commit}", files.len()))
}
