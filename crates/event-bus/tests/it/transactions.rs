//! The fencing producer.

use event_bus::{Error, Update};

use crate::fixture::{Fixture, Note, note, unique};

async fn texts<const N: usize>(fixture: &Fixture, partition: i32) -> Vec<String> {
    let mut texts = Vec::new();
    fixture
        .bus
        .read_partition::<Note<N>>(partition, None, |update, _| {
            if let Update::Put(envelope) = update {
                texts.push(envelope.event.text.clone());
            }
        })
        .await
        .unwrap();
    texts
}

#[tokio::test]
async fn a_transaction_writes_all_its_records_where_it_is_told() {
    let Some(fixture) = Fixture::new().await else { return };
    let holder = fixture.bus.transactional::<Note<14>>(&unique("all"), 1).await.unwrap();
    let one = fixture.bus.prepare(&note::<14>("a", "one")).await.unwrap().to_partition(0);
    let two = fixture.bus.prepare(&note::<14>("a", "two")).await.unwrap().to_partition(0);
    let positions = holder.commit(&[one.clone(), two]).await.unwrap();
    assert_eq!((positions[0].partition, positions[1].offset - positions[0].offset), (0, 1));
    holder.commit(&[one]).await.unwrap();
    assert_eq!(texts::<14>(&fixture, 0).await, ["one", "two", "one"]);
    let read = fixture.bus.read_at::<Note<14>>(0, positions[1].offset).await.unwrap();
    assert_eq!(read.event.text, "two");
}

#[tokio::test]
async fn the_former_holder_can_write_nothing_any_more() {
    let Some(fixture) = Fixture::new().await else { return };
    let name = unique("fencing");
    let former = fixture.bus.transactional::<Note<15>>(&name, 0).await.unwrap();
    let record = |text: &str| note::<15>("a", text);
    let old = fixture.bus.prepare(&record("old")).await.unwrap().to_partition(0);
    let new = fixture.bus.prepare(&record("new")).await.unwrap().to_partition(0);
    former.commit(std::slice::from_ref(&old)).await.unwrap();

    let successor = fixture.second().await.transactional::<Note<15>>(&name, 0).await.unwrap();
    for _ in 0..2 {
        let error = former.commit(std::slice::from_ref(&old)).await.unwrap_err();
        assert!(matches!(error, Error::Fenced { .. }), "{error:?}");
    }
    successor.commit(&[new]).await.unwrap();
    assert_eq!(texts::<15>(&fixture, 0).await, ["old", "new"]);
}
