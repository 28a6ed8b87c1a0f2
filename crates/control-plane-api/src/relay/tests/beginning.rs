//! A repository that has commits before the relay looks for the first time.

use std::collections::BTreeMap;

use events::{ApiCreated, ApiUpdated, AuditRecord, CatalogHeads, DeployOrder, TenantEvent};
use gitops::{Trailers, Writer};

use super::{Fixture, everything};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_commits_are_told_one_by_one_with_those_who_made_them() {
    let Some(fixture) = Fixture::new("relay-beginning").await else { return };
    let all = everything();
    let (before, api) = all.split_at(3);
    let stranger = Writer::new(fixture.repository.clone(), Trailers::new(&vec![8_u8; 32].into()));
    let first = fixture.commit(before, "r-1");
    let second = fixture.commit_by(&stranger, api, "r-2");
    let newer = api[0].1.unwrap().replace("1.0.0", "1.1.0");
    let third = fixture.commit(&[(api[0].0, Some(&newer))], "r-3");
    let relay = fixture.relay("one").await;
    relay.look().await.unwrap();

    let tenants = fixture.records::<TenantEvent>().await;
    let tenants: Vec<_> = tenants.iter().map(|it| (&it.change.commit, it.change.actor.as_str())).collect();
    assert_eq!(tenants, [(&first, "ada")]);
    let created = fixture.records::<ApiCreated>().await;
    let created: Vec<_> = created.iter().map(|it| (&it.change.commit, it.change.actor.as_str())).collect();
    assert_eq!(created, [(&second, "unverified")]);
    let updated = fixture.records::<ApiUpdated>().await;
    let updated: Vec<_> = updated.iter().map(|it| (&it.change.commit, it.change.actor.as_str())).collect();
    assert_eq!(updated, [(&third, "ada")]);
    let mut audits: BTreeMap<_, usize> = BTreeMap::new();
    for audit in fixture.records::<AuditRecord>().await {
        *audits.entry((audit.commit.unwrap(), audit.action)).or_default() += 1;
    }
    assert!(audits.values().all(|times| *times == 1), "{audits:?}");
    assert_eq!(audits.len(), 3 + 2 + 1);

    // The first commit has a step of its own, and the rest is a line: one order, of what stands at its end.
    let heads = fixture.records::<CatalogHeads>().await;
    let heads: Vec<_> = heads.iter().map(|head| (head.revision.0, &head.commit)).collect();
    assert_eq!(heads, [(1, &first), (2, &third)]);
    let orders = fixture.records::<DeployOrder>().await;
    let orders: Vec<_> = orders.iter().map(|order| (order.version.as_str(), &order.commit)).collect();
    assert_eq!(orders, [("1.1.0", &third)]);
    relay.look().await.unwrap();
    assert_eq!(fixture.records::<AuditRecord>().await.len(), 6, "once");
    fixture.end().await;
}
