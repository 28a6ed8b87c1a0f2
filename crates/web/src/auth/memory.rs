//! Remembers verified tokens, a bounded number of them.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use domain::rbac::Principal;
use jiff::Timestamp;

/// What identifies a token; the token itself is not kept.
type Fingerprint = [u8; 32];

/// Two maps, the older of which is dropped when the younger is full: constant work, and what is used stays.
#[derive(Debug)]
pub(super) struct Memory {
    half: usize,
    maps: Mutex<Maps>,
}

#[derive(Debug, Default)]
struct Maps {
    young: HashMap<Fingerprint, Verified>,
    old: HashMap<Fingerprint, Verified>,
}

/// A token that was verified.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub(super) principal: Arc<Principal>,
    /// When the token ends.
    pub(super) until: Timestamp,
    /// The generation of keys that verified it.
    pub(super) generation: u64,
}

impl Memory {
    pub(super) fn new(bound: usize) -> Self {
        Self { half: bound / 2, maps: Mutex::default() }
    }

    pub(super) fn get(&self, token: &str) -> Option<Verified> {
        let fingerprint = fingerprint(token);
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verified) = maps.young.get(&fingerprint) {
            return Some(verified.clone());
        }
        let verified = maps.old.remove(&fingerprint)?;
        maps.insert(fingerprint, verified.clone(), self.half);
        Some(verified)
    }

    pub(super) fn insert(&self, token: &str, verified: Verified) {
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        maps.insert(fingerprint(token), verified, self.half);
    }
}

impl Maps {
    fn insert(&mut self, fingerprint: Fingerprint, verified: Verified, half: usize) {
        if self.young.len() >= half {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(fingerprint, verified);
    }
}

fn fingerprint(token: &str) -> Fingerprint {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn verified(name: &str) -> Verified {
        let principal = Principal {
            subject: name.to_owned(),
            username: name.to_owned(),
            email: None,
            tenant: None,
            roles: BTreeSet::new(),
            scopes: BTreeSet::new(),
        };
        Verified { principal: Arc::new(principal), until: Timestamp::MAX, generation: 1 }
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let memory = Memory::new(10);
        memory.insert("used", verified("used"));
        for number in 0..100 {
            memory.insert(&number.to_string(), verified("other"));
            assert_eq!(memory.get("used").unwrap().principal.subject, "used");
        }
        let maps = memory.maps.lock().unwrap();
        assert!(maps.young.len() + maps.old.len() <= 10);
        drop(maps);
        assert!(memory.get("0").is_none() && memory.get("99").is_some());
    }
}
