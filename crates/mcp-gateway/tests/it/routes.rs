use events::{AckOutcome, Authentication, Document};

use crate::world::World;

#[actix_web::test]
async fn every_generation_is_acknowledged_and_a_refused_one_leaves_the_former_in_service() {
    let world = World::new();
    let token = world.token("acme");
    let said = |acks: Vec<events::GatewayAck>| {
        let ack = acks.into_iter().next().unwrap();
        assert_eq!((ack.replica.as_str(), ack.environment.as_str()), ("one", "dev"));
        (ack.outcome, ack.generation.to_string(), ack.message)
    };
    let applied = |generation: &str| (AckOutcome::Applied, generation.to_owned(), None);
    let first = world.route("acme", "pets", 3);
    assert_eq!(said(world.deploy(&first)), applied("1.3"));
    assert_eq!(said(world.deploy(&first)), applied("1.3"));

    let mut broken = world.route("acme", "pets", 4);
    broken.document = Document::pack(b"openapi: 3.2.0", "application/yaml").unwrap();
    let reason = "the document is not usable: OpenAPI 3.2.0 is not supported; 2.0, 3.0 and 3.1 are";
    assert_eq!(said(world.deploy(&broken)), (AckOutcome::Refused, "1.4".to_owned(), Some(reason.to_owned())));

    let mut unknown = world.route("acme", "pets", 5);
    unknown.authentication = Authentication::Unknown;
    assert_eq!(said(world.deploy(&unknown)).0, AckOutcome::Refused);
    let mut nowhere = world.route("acme", "pets", 6);
    nowhere.upstream.url = "file:///etc/passwd".to_owned();
    assert_eq!(said(world.deploy(&nowhere)).0, AckOutcome::Refused);
    let older = said(world.deploy(&world.route("acme", "pets", 2)));
    let reason = "generation 1.2 is older than 1.3, which is served";
    assert_eq!(older, (AckOutcome::Refused, "1.2".to_owned(), Some(reason.to_owned())));
    assert_eq!(world.get("/apis/acme/pets/pets", Some(&token)).await.header("stoa-generation"), "1.3");

    assert_eq!(said(world.deploy(&world.route("acme", "pets", 7))), applied("1.7"));
    assert_eq!(world.get("/apis/acme/pets/pets", Some(&token)).await.header("stoa-generation"), "1.7");

    assert_eq!(said(world.undeploy("acme/pets/dev")), (AckOutcome::Removed, "1.7".to_owned(), None));
    assert_eq!(world.get("/apis/acme/pets/pets", Some(&token)).await.status, 404);
    assert_eq!(said(world.undeploy("acme/pets/dev")), (AckOutcome::Removed, "0.0".to_owned(), None));
}

#[actix_web::test]
async fn routes_of_other_environments_are_passed_over() {
    let world = World::new();
    let mut route = world.route("acme", "pets", 1);
    route.environment = "prod".parse().unwrap();
    assert_eq!(world.deploy(&route), []);
    assert_eq!(world.undeploy("acme/pets/prod"), []);
    assert_eq!(world.undeploy("no key of ours"), []);
    assert_eq!(world.get("/apis/acme/pets/pets", Some(&world.token("acme"))).await.status, 404);
}
