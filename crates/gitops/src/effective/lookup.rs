//! Finding one thing among many without going through all of them.

use std::{ops::Bound, sync::Arc};

use domain::entity::EntityPath;

use super::{Declared, Effective, Row};

impl Effective {
    /// The file at `path`, if it is in effect or should be.
    #[must_use]
    pub fn row(&self, path: &str) -> Option<&Arc<Row>> {
        self.rows.get(path)
    }

    /// The entities from `first` on, in the order of their paths; `first` itself need not exist.
    pub fn starting_at<'a>(
        &'a self,
        first: &EntityPath,
    ) -> impl Iterator<Item = (&'a EntityPath, &'a Arc<Declared>)> + use<'a> {
        let from = (Bound::Included(first), Bound::Unbounded);
        self.entities.range::<EntityPath, _>(from).map(|(path, declared)| (&**path, declared))
    }
}
