//! What the store sells.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Species {
    Cat,
    Dog,
    Rabbit,
    Parrot,
    Tortoise,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    #[default]
    Available,
    Pending,
    Sold,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Owner {
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
}

/// A pet as somebody describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPet {
    pub name: String,
    pub species: Species,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub age_months: Option<u32>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub owner: Option<Owner>,
}

impl NewPet {
    pub(super) fn sample(name: &str, species: Species, age_months: Option<u32>, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            species,
            status: Status::Available,
            description: Some(description.to_owned()),
            age_months,
            tags: Vec::new(),
            owner: None,
        }
    }

    /// What the document promises and the types do not: the first thing wrong, if any.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let length = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
        if !length(&self.name, 60) {
            return Some("`name` has 1 to 60 characters");
        }
        if self.description.as_deref().is_some_and(|text| text.chars().count() > 500) {
            return Some("`description` has at most 500 characters");
        }
        if self.age_months.is_some_and(|age| age > 2400) {
            return Some("`ageMonths` is at most 2400");
        }
        if self.tags.len() > 20 || !self.tags.iter().all(|tag| length(tag, 30)) {
            return Some("`tags` are at most 20, of 1 to 30 characters each");
        }
        if self.owner.as_ref().is_some_and(|owner| owner.name.is_empty()) {
            return Some("`owner.name` is not empty");
        }
        None
    }
}

/// A pet as the store has it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pet {
    pub id: i64,
    #[serde(flatten)]
    pub described: NewPet,
    pub has_photo: bool,
}

impl Pet {
    /// How well the pet fits the words: nothing if it does not.
    pub(super) fn rank(&self, words: &str) -> Option<u8> {
        let words = words.to_lowercase();
        if self.described.name.to_lowercase().contains(&words) {
            return Some(0);
        }
        let description = self.described.description.as_deref()?.to_lowercase();
        description.contains(&words).then_some(1)
    }
}
