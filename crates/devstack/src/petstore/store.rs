//! The pets, in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::pet::{NewPet, Pet, Species, Status};

#[derive(Clone, Debug)]
pub(super) struct Photo {
    pub content_type: &'static str,
    pub content: Bytes,
}

#[derive(Debug, Default)]
struct Stock {
    pets: BTreeMap<i64, Pet>,
    photos: BTreeMap<i64, Photo>,
    last_id: i64,
}

#[derive(Debug, Default)]
pub(super) struct Store(Mutex<Stock>);

impl Store {
    pub(super) fn with_samples() -> Self {
        let store = Self::default();
        for (pet, status, tags) in [
            (
                NewPet::sample("Mimi", Species::Cat, Some(7), "A friendly young cat"),
                Status::Available,
                ["curious", "young"].as_slice(),
            ),
            (
                NewPet::sample("Rex", Species::Dog, Some(40), "A loyal dog who likes water"),
                Status::Available,
                &["loyal"],
            ),
            (
                NewPet::sample("Hazel", Species::Rabbit, None, "A rabbit that was found in a garden"),
                Status::Pending,
                &["shy"],
            ),
            (
                NewPet::sample("Kiwi", Species::Parrot, Some(120), "Speaks, and is friendly to children"),
                Status::Available,
                &["loud", "curious"],
            ),
            (
                NewPet::sample("Solon", Species::Tortoise, Some(1080), "Older than his keepers"),
                Status::Sold,
                &[],
            ),
        ] {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            store.create(NewPet { status, tags, ..pet });
        }
        store
    }

    fn lock(&self) -> MutexGuard<'_, Stock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn create(&self, described: NewPet) -> Pet {
        let mut stock = self.lock();
        stock.last_id += 1;
        let pet = Pet { id: stock.last_id, described, has_photo: false };
        stock.pets.insert(pet.id, pet.clone());
        pet
    }

    pub(super) fn get(&self, id: i64) -> Option<Pet> {
        self.lock().pets.get(&id).cloned()
    }

    pub(super) fn update(&self, id: i64, described: NewPet) -> Option<Pet> {
        let mut stock = self.lock();
        let pet = stock.pets.get_mut(&id)?;
        pet.described = described;
        Some(pet.clone())
    }

    pub(super) fn delete(&self, id: i64) -> Option<Pet> {
        let mut stock = self.lock();
        stock.photos.remove(&id);
        stock.pets.remove(&id)
    }

    /// At most `limit` pets after `after` that are wanted, and whether there are more.
    pub(super) fn page(&self, after: i64, limit: usize, wanted: impl Fn(&Pet) -> bool) -> (Vec<Pet>, bool) {
        let stock = self.lock();
        let mut found: Vec<Pet> = stock
            .pets
            .range(after.saturating_add(1)..)
            .map(|(_, pet)| pet)
            .filter(|pet| wanted(pet))
            .take(limit + 1)
            .cloned()
            .collect();
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }

    pub(super) fn inventory(&self) -> BTreeMap<Status, usize> {
        let none = [Status::Available, Status::Pending, Status::Sold].map(|status| (status, 0));
        let mut counts = BTreeMap::from(none);
        for pet in self.lock().pets.values() {
            *counts.entry(pet.described.status).or_default() += 1;
        }
        counts
    }

    pub(super) fn keep_photo(&self, id: i64, photo: Photo) -> Option<()> {
        let mut stock = self.lock();
        stock.pets.get_mut(&id)?.has_photo = true;
        stock.photos.insert(id, photo);
        Some(())
    }

    pub(super) fn photo(&self, id: i64) -> Option<Photo> {
        self.lock().photos.get(&id).cloned()
    }
}
