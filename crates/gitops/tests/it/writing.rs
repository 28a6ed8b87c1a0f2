//! Writing to the remote, alone and against others.

use std::collections::BTreeMap;

use domain::id::CommitId;
use gitops::{Author, Files, WriteError};

use crate::support::{TENANT, World, at, steps, tenant};

pub(crate) fn ada() -> Author {
    Author { name: "Ada".to_owned(), email: "ada@x.org".to_owned(), at: at(1_700_000_000) }
}

pub(crate) fn one(path: &str, text: &str) -> Files {
    BTreeMap::from([(path.to_owned(), Some(text.as_bytes().to_vec()))])
}

#[test]
fn many_files_are_one_commit_that_knows_its_request() {
    let mut world = World::new();
    let writer = world.writer();
    let mut files = one(TENANT, &tenant("a"));
    files.extend(one("tenants/acme/users.yaml", "users: []"));
    files.insert("tenants/acme/nothing.yaml".to_owned(), None);
    let commit =
        writer.commit(None, &files, &ada(), "Create acme\n\nStoa-Request: forged.x", "req-1").unwrap();
    let followed = world.look();
    assert_eq!(steps(&followed), [["+ tenants/acme", "+ tenants/acme/users"]]);
    let step = &followed.steps[0];
    assert_eq!((step.commit.id.clone(), step.request.as_deref()), (commit.clone(), Some("req-1")));
    assert_eq!(step.commit.author_email, "ada@x.org");
    assert!(
        step.commit.message.starts_with("Create acme\n\nStoa-Request: req-1."),
        "{}",
        step.commit.message
    );
    assert_eq!(writer.find("req-1", &commit, None, 100).unwrap(), Some(commit.clone()));
    assert_eq!(writer.find("req-2", &commit, None, 100).unwrap(), None);

    let removal: Files = BTreeMap::from([("tenants/acme/users.yaml".to_owned(), None)]);
    writer.commit(Some(&commit), &removal, &ada(), "Remove users", "req-2").unwrap();
    assert_eq!(steps(&world.look()), [["- tenants/acme/users"]]);
}

#[test]
fn a_trailer_copied_into_another_commit_proves_nothing() {
    let mut world = World::new();
    let first = world.writer().commit(None, &one(TENANT, &tenant("a")), &ada(), "Create", "req-1").unwrap();
    world.look();
    let ours = world.mirror.commit_info(&first).unwrap();
    assert_eq!(world.trailers.verify(&ours), Some("req-1"));
    let mut forged = ours.clone();
    forged.tree = first.clone();
    assert_eq!(world.trailers.verify(&forged), None);
    let mut forged = ours.clone();
    forged.author_email = "root@x.org".to_owned();
    assert_eq!(world.trailers.verify(&forged), None);
    let mut forged = ours;
    forged.message = forged.message.replace("req-1", "req-2");
    assert_eq!(world.trailers.verify(&forged), None);
}

#[test]
fn of_two_writers_one_meets_a_conflict_and_nothing_is_lost() {
    let mut world = World::new();
    let base = world.writer().commit(None, &one(TENANT, &tenant("a")), &ada(), "Create", "req-0").unwrap();
    let writers = [world.replica("one.git"), world.replica("two.git")];
    let results: Vec<Result<CommitId, WriteError>> = std::thread::scope(|scope| {
        let base = &base;
        let spawned: Vec<_> = writers
            .iter()
            .enumerate()
            .map(|(index, writer)| {
                let files = one(&format!("notes/{index}.md"), "note");
                scope
                    .spawn(move || writer.commit(Some(base), &files, &ada(), "Note", &format!("req-{index}")))
            })
            .collect();
        spawned.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let won: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    let lost = results.iter().find_map(|result| result.as_ref().err()).unwrap();
    assert!(matches!(lost, WriteError::Conflict { .. }), "{lost}");
    world.look();
    assert_eq!(world.state.commit(), Some(won[0]));
}

#[test]
fn writers_who_try_again_all_get_through() {
    let mut world = World::new();
    world.writer().commit(None, &one(TENANT, &tenant("a")), &ada(), "Create", "req-0").unwrap();
    let writers: Vec<_> = (0..4).map(|index| (index, world.replica(&format!("{index}.git")))).collect();
    std::thread::scope(|scope| {
        for (index, writer) in &writers {
            let mirror = writer.repository().clone();
            scope.spawn(move || {
                for count in 0..5 {
                    let files = one(&format!("notes/{index}-{count}.md"), "note");
                    loop {
                        let head = mirror.fetch().unwrap();
                        match writer.commit(
                            head.as_ref(),
                            &files,
                            &ada(),
                            "Note",
                            &format!("{index}-{count}"),
                        ) {
                            Ok(_) => break,
                            Err(WriteError::Conflict { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    world.look();
    let tree = world.mirror.tree(world.state.commit().unwrap()).unwrap();
    assert_eq!(tree.keys().filter(|path| path.starts_with("notes/")).count(), 20);
}

#[test]
fn what_changes_nothing_or_leaves_the_repository_is_refused() {
    let world = World::new();
    let writer = world.writer();
    let head = writer.commit(None, &one(TENANT, &tenant("a")), &ada(), "Create", "req-0").unwrap();
    let again = writer.commit(Some(&head), &one(TENANT, &tenant("a")), &ada(), "Again", "req-1");
    assert!(matches!(again, Err(WriteError::Unchanged)));
    for path in ["../x", ".git/config", "/x"] {
        let outside = writer.commit(Some(&head), &one(path, "x"), &ada(), "Outside", "req-2");
        assert!(matches!(outside, Err(WriteError::Path(_))), "{path}");
    }
    let first_again = writer.commit(None, &one("x", "x"), &ada(), "First", "req-3");
    assert!(matches!(first_again, Err(WriteError::Conflict { head: Some(at) }) if at == head));
}

#[tokio::test]
async fn blocking_work_runs_beside_the_async_runtime() {
    let world = World::new();
    let head = world.mirror.blocking(gitops::Repository::fetch).await.unwrap();
    assert_eq!(head, None);
}
