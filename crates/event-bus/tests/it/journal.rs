//! Plain bytes, kept in order.

use event_bus::Journal;

use crate::fixture::{Fixture, unique, write};

#[tokio::test]
async fn a_journal_gives_back_whatever_stands_in_it_in_order() {
    let Some(fixture) = Fixture::new().await else { return };
    let topic = unique("journal");
    let journal = Journal::open(fixture.settings.clone(), "tester", &topic).await.unwrap();
    assert_eq!(journal.read().await.unwrap(), []);
    journal.append(b"key", b"first").await.unwrap();
    write(&fixture, &topic, b"\xff\0 no text").await;
    journal.append(b"key", b"second").await.unwrap();
    let kept = |key: &[u8], value: &[u8]| (key.to_vec(), Some(value.to_vec()));
    assert_eq!(
        journal.read().await.unwrap(),
        [kept(b"key", b"first"), kept(b"a", b"\xff\0 no text"), kept(b"key", b"second")]
    );
}
