//! The verdicts of a step, moved until none moves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::entity::{Entity, EntityPath};

use super::{
    Objects, OpenApiCheck,
    advance::StepState,
    case::{Case, Verdict},
    parse::Content,
    references::{name, references},
    rules::{self, Broken, Unique},
};
use crate::{
    layout::{Layout, Slot},
    repository,
};

impl StepState<'_> {
    /// A pinned deployment must find its content in history; that depends on nothing else in this step.
    pub(super) fn check_pins(
        &mut self,
        objects: &dyn Objects,
        check: &OpenApiCheck<'_>,
    ) -> Result<(), repository::Error> {
        for case in self.cases.values_mut() {
            let Verdict::New(index) = case.verdict else { continue };
            let Ok(Content::Entity(entity)) = &case.heads[index].reading.content else { continue };
            if let Some(broken) = rules::check_pin(entity, self.commit, objects, check)? {
                case.refuse(broken);
            }
        }
        Ok(())
    }

    /// Moves verdicts until none moves.
    pub(super) fn settle(&mut self) {
        let held = self.held_elsewhere();
        loop {
            let refused = self.refuse_what_breaks_a_rule(&held);
            let revived = self.revive_what_is_referred_to();
            if !refused && !revived {
                return;
            }
        }
    }

    /// The entities on which this step decides.
    fn decided(&self) -> BTreeSet<&EntityPath> {
        let paths = self.cases.keys().filter_map(|slot| match slot {
            Slot::Entity(path) => Some(path),
            Slot::OpenApi { .. } => None,
        });
        paths.collect()
    }

    /// Who holds what new content wants for itself, among what this step does not touch.
    fn held_elsewhere(&self) -> Unique {
        let mut wanted = Unique::default();
        for (slot, case) in &self.cases {
            if let (Verdict::New(_), Some(entity)) = (case.verdict, self.entity(slot)) {
                wanted.hold(&entity);
            }
        }
        let mut held = Unique::default();
        if wanted.is_empty() {
            return held;
        }
        let decided = self.decided();
        for (path, declared) in &self.former.entities {
            if wanted.touches(&declared.entity) && !decided.contains(&**path) {
                held.hold(&declared.entity);
            }
        }
        held
    }

    fn refuse_what_breaks_a_rule(&mut self, held: &Unique) -> bool {
        // What keeps its place keeps its ids; new content may take only what is left.
        let mut taken = Unique::default();
        for case in self.cases.values() {
            if let (Verdict::Keep, Some(entity)) = (case.verdict, self.former_entity(case)) {
                taken.hold(&entity);
            }
        }
        let mut verdicts = Vec::new();
        for (slot, case) in &self.cases {
            let (Verdict::New(_), Some(entity)) = (case.verdict, self.entity(slot)) else { continue };
            let former = self.former_entity(case);
            let broken = self
                .missing_reference(&entity)
                .or_else(|| rules::check_identity(former.as_deref()?, &entity, self.span))
                .or_else(|| rules::check_target(&entity, &|path| self.entity(&Slot::Entity(path.clone()))))
                .or_else(|| held.check(&entity))
                .or_else(|| taken.check(&entity));
            match broken {
                Some(broken) => verdicts.push((slot.clone(), broken)),
                None => taken.hold(&entity),
            }
        }
        let moved = !verdicts.is_empty();
        for (slot, broken) in verdicts {
            if let Some(case) = self.cases.get_mut(&slot) {
                case.refuse(broken);
            }
        }
        moved
    }

    fn missing_reference(&self, entity: &Entity) -> Option<Broken> {
        let missing = references(entity).into_iter().find(|slot| !self.present(slot))?;
        let invalid = self.cases.get(&missing).is_some_and(|case| !case.heads.is_empty());
        let message = if invalid {
            format!("the {} is not valid", name(&missing))
        } else {
            format!("there is no {}", name(&missing))
        };
        Some(Broken { field: None, message })
    }

    /// Keeps what was removed while something in effect refers to it.
    fn revive_what_is_referred_to(&mut self) -> bool {
        let removed: BTreeSet<&Slot> = self
            .cases
            .iter()
            .filter(|(_, case)| case.heads.is_empty() && case.former.is_some())
            .map(|(slot, _)| slot)
            .collect();
        if removed.is_empty() {
            return false;
        }
        let decided = self.decided();
        let mut referrers: BTreeMap<Slot, BTreeSet<String>> = BTreeMap::new();
        let mut note = |path: &EntityPath, entity: &Entity| {
            for slot in references(entity).into_iter().filter(|slot| removed.contains(slot)) {
                referrers.entry(slot).or_default().insert(path.to_string());
            }
        };
        for (path, declared) in &self.former.entities {
            if !decided.contains(&**path) {
                note(path, &declared.entity);
            }
        }
        for slot in self.cases.keys() {
            if let (Slot::Entity(path), Some(entity)) = (slot, self.entity(slot)) {
                note(path, &entity);
            }
        }
        let mut moved = false;
        for (slot, case) in &mut self.cases {
            if case.heads.is_empty()
                && case.former.is_some()
                && let Some(by) = referrers.remove(slot)
            {
                moved |= case.verdict != Verdict::Keep;
                case.verdict = Verdict::Keep;
                case.orphaned_by = by;
            }
        }
        moved
    }

    fn present(&self, slot: &Slot) -> bool {
        match self.cases.get(slot) {
            Some(case) => case.verdict != Verdict::Gone,
            None => self.former.slots.contains_key(slot),
        }
    }

    /// The entity in effect in a place, as the verdicts stand.
    pub(super) fn entity(&self, slot: &Slot) -> Option<Arc<Entity>> {
        let Slot::Entity(path) = slot else { return None };
        let Some(case) = self.cases.get(slot) else {
            return self.former.entities.get(path).map(|declared| Arc::clone(&declared.entity));
        };
        match case.verdict {
            Verdict::New(index) => match &case.heads[index].reading.content {
                Ok(Content::Entity(entity)) => Some(Arc::clone(entity)),
                _ => None,
            },
            Verdict::Keep => self.former.entities.get(path).map(|declared| Arc::clone(&declared.entity)),
            Verdict::Gone => None,
        }
    }

    fn former_entity(&self, case: &Case) -> Option<Arc<Entity>> {
        let (path, _) = case.former.as_ref()?;
        let place = Layout::place(path).ok().flatten()?;
        let Slot::Entity(entity) = place.slot else { return None };
        self.former.entities.get(&entity).map(|declared| Arc::clone(&declared.entity))
    }
}
