//! Commands that race others for the head of the branch.

use std::collections::BTreeSet;

use domain::entity::Contact;

use super::{Actor, CommandError, NewTenant, Origin, Refusal};
use crate::testing::Plane;

fn origin(request: &str) -> Origin {
    Origin {
        actor: Actor { name: "ada".to_owned(), email: "ada@example.com".to_owned() },
        request: request.to_owned(),
        resumed: false,
    }
}

fn tenant(name: &str) -> NewTenant {
    NewTenant {
        name: name.parse().unwrap(),
        display_name: name.to_owned(),
        description: String::new(),
        contact: Contact::default(),
        environments: Some(BTreeSet::new()),
        tags: BTreeSet::new(),
    }
}

#[actix_web::test]
async fn commands_that_race_a_pusher_are_all_done_and_lose_nothing() {
    let plane = Plane::new().await;
    let writer = plane.writer.clone();
    let repository = plane.state.repository.clone();
    let pusher = std::thread::spawn(move || {
        let author = gitops::Author {
            name: "Grace".to_owned(),
            email: "grace@example.com".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut pushed = 0;
        while pushed < 20 {
            let head = repository.fetch().unwrap();
            let files = [(format!("notes/{pushed}.md"), Some(b"x".to_vec()))].into();
            pushed += usize::from(writer.commit(head.as_ref(), &files, &author, "Push", "p").is_ok());
        }
    });
    let names: Vec<String> = (0..10).map(|number| format!("tenant-{number}")).collect();
    let declare = |name: &String| {
        let (commands, origin, tenant) = (plane.state.commands.clone(), origin(name), tenant(name));
        async move { commands.declare_tenant(&origin, tenant).await }
    };
    let done = futures_util::future::join_all(names.iter().map(declare)).await;
    assert!(done.iter().all(|done| done.as_ref().is_ok_and(|done| done.changed)), "{done:?}");
    pusher.join().unwrap();
    for name in &names {
        assert!(plane.file(&format!("tenants/{name}/tenant.yaml")).is_some(), "{name}");
    }
    assert_eq!(plane.messages().len(), 1 + 10 + 20);
}

#[actix_web::test]
async fn of_two_who_want_the_same_name_one_gets_it() {
    let plane = Plane::new().await;
    let commands = &plane.state.commands;
    let (first, second) = (origin("one"), origin("two"));
    let (one, two) = tokio::join!(
        commands.declare_tenant(&first, tenant("globex")),
        commands.declare_tenant(&second, tenant("globex")),
    );
    assert!(one.is_ok());
    let Err(CommandError::Refused(refusal)) = two else { panic!("{two:?}") };
    assert_eq!(refusal, Refusal::NameTaken { kind: "tenant", name: "globex".to_owned() });
}
