//! A page of `tools/list` as bytes that answers share.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::gzip::Packed;

/// A shorter page fits a few packets as it is.
const WORTH_PACKING: usize = 4 << 10;

/// The result of `tools/list` for one page.
#[derive(Debug)]
pub(crate) struct Page {
    /// The result as JSON.
    pub(crate) plain: Bytes,
    /// Made when the first caller takes it, and only of a page that others will ask for too.
    packed: Option<OnceLock<Option<Packed>>>,
}

impl Page {
    /// A page that is kept for all who ask for it.
    pub(super) fn prepared(plain: Bytes) -> Self {
        let packed = (plain.len() >= WORTH_PACKING).then(OnceLock::new);
        Self { plain, packed }
    }

    /// A page for one answer.
    pub(super) fn passing(plain: Bytes) -> Self {
        Self { plain, packed: None }
    }

    /// The same compressed, where that is worth it.
    pub(crate) fn packed(&self) -> Option<&Packed> {
        // Writing to memory does not fail; if it did, the plain page would do.
        self.packed.as_ref()?.get_or_init(|| Packed::of(&self.plain).ok()).as_ref()
    }
}
