//! Lists in pages.

use actix_web::web::Json;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use web::{Kind, Problem, cursor::Cursors};

use super::State;

/// Items of a page unless the caller says otherwise.
const USUAL: u32 = 50;

/// Items of a page at most.
const MOST: u32 = 200;

/// Which page of a list without filters the caller wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    pub(super) limit: Option<u32>,
    pub(super) cursor: Option<String>,
}

/// A list, and the page of it that the caller wants.
pub(super) struct Paging<'a> {
    cursors: &'a Cursors,
    /// The list with its filters: cursors belong to it.
    list: String,
    size: usize,
    cursor: Option<String>,
}

impl<'a> Paging<'a> {
    pub(super) fn of(
        state: &'a State,
        list: impl Into<String>,
        limit: Option<u32>,
        cursor: Option<String>,
    ) -> Result<Self, Problem> {
        Ok(Self { cursors: &state.cursors, list: list.into(), size: size(limit)?, cursor })
    }

    /// The position behind which the page begins; none for the first.
    pub(super) fn after<P: DeserializeOwned>(&self) -> Result<Option<P>, Problem> {
        self.cursor.as_ref().map(|cursor| self.cursors.open(&self.list, cursor)).transpose()
    }

    /// One item more than a page, to know whether there is a next one.
    pub(super) fn one_more(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The page, from what was found behind its beginning.
    pub(super) fn page<F, P: Serialize, T>(
        &self,
        found: impl IntoIterator<Item = F>,
        position: impl FnOnce(&F) -> P,
        view: impl FnMut(F) -> T,
    ) -> Json<Page<T>> {
        let found = found.into_iter().take(self.size + 1).collect();
        Json(Page::of(found, self.size, |last| self.cursors.seal(&self.list, &position(last)), view))
    }
}

/// How many items the caller wants.
pub(super) fn size(limit: Option<u32>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(USUAL);
    if (1..=MOST).contains(&limit) {
        Ok(usize::try_from(limit).unwrap_or(usize::MAX))
    } else {
        Err(Problem::new(Kind::BadRequest, format!("`limit` is from 1 to {MOST}")))
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next page begins; none behind the last.
    pub(super) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of `size` items from `found`, which has one more if there is a next page.
    fn of<F>(
        mut found: Vec<F>,
        size: usize,
        cursor: impl FnOnce(&F) -> String,
        view: impl FnMut(F) -> T,
    ) -> Self {
        let more = found.len() > size;
        found.truncate(size);
        let next_cursor = if more { found.last().map(cursor) } else { None };
        Self { items: found.into_iter().map(view).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_whether_there_is_a_next_one() {
        let page = |found: Vec<u8>| Page::of(found, 2, u8::to_string, |item| item);
        let first = page(vec![1, 2, 3]);
        assert_eq!((first.items, first.next_cursor.as_deref()), (vec![1, 2], Some("2")));
        assert_eq!(page(vec![1, 2]).next_cursor, None);
    }

    #[test]
    fn a_page_has_1_to_200_items() {
        assert_eq!(size(None).unwrap(), 50);
        assert_eq!(size(Some(200)).unwrap(), 200);
        assert!(size(Some(0)).is_err() && size(Some(201)).is_err());
    }
}
