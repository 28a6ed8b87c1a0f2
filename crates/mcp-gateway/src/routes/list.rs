//! Pages of `tools/list`, prepared as bytes.
//!
//! The order is by name, and a cursor says after which name the page begins: it holds whatever was deployed since,
//! on every replica, and tells nothing that the list did not.

use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::name::TenantName;
use serde_json::json;

use super::{
    compile::{Access, Route},
    page::Page,
    table::Table,
};
use crate::{builtin, mcp};

/// For how long a client may keep a list that it gets no notice of.
const FRESH_MS: u32 = 30_000;

/// A page ends before it has more bytes than this, but holds one tool at least.
const PAGE_BYTES: usize = 4 << 20;

/// What the cursor's text begins with.
const CURSOR: &str = "1:";

/// Who sees a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Audience {
    /// Members of a tenant.
    Tenant(TenantName),
    /// The platform's administrators.
    Platform,
    /// Callers without a token.
    Anyone,
    /// Callers with a token of no tenant.
    Nobody,
}

/// What the entries look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Era {
    /// 2024-11-05 to 2025-11-25.
    Legacy,
    /// From 2026-07-28 on.
    Modern,
}

impl Audience {
    /// Whether tools of `route` stand in the list.
    pub(crate) fn sees(&self, route: &Route) -> bool {
        match self {
            Self::Tenant(tenant) => route.tenant == *tenant,
            Self::Platform => true,
            Self::Anyone => route.access == Access::Anyone,
            Self::Nobody => false,
        }
    }
}

/// The list of one audience.
#[derive(Debug)]
pub(super) struct List {
    era: Era,
    /// Names and entries, in the order of the names.
    tools: Vec<(String, Box<str>)>,
    /// Where prepared pages begin.
    starts: Vec<usize>,
    pages: Vec<OnceLock<Arc<Page>>>,
    page_size: usize,
}

impl List {
    pub(super) fn of(table: &Table, audience: &Audience, era: Era, page_size: usize) -> Self {
        let mut tools: Vec<(String, Box<str>)> = Vec::new();
        if *audience != Audience::Anyone {
            tools.extend(builtin::entries().into_iter().map(|(name, entry)| (name.to_owned(), entry)));
        }
        for route in table.routes().filter(|route| audience.sees(route)) {
            tools.extend(route.tools.iter().map(|tool| {
                let entry = match era {
                    Era::Legacy => &tool.legacy,
                    Era::Modern => &tool.modern,
                };
                (tool.name.clone(), entry.clone())
            }));
        }
        tools.sort();
        let mut list = Self { era, tools, starts: vec![0], pages: Vec::new(), page_size };
        while let Some(next) = list.starts.last().and_then(|start| list.end(*start)) {
            list.starts.push(next);
        }
        list.pages.resize_with(list.starts.len(), OnceLock::new);
        list
    }

    /// Where the page after that of `start` begins, if there is one.
    fn end(&self, start: usize) -> Option<usize> {
        let mut bytes = 0;
        let rest = self.tools.get(start..)?;
        let fits = |(at, (_, entry)): &(usize, &(String, Box<str>))| {
            bytes += entry.len();
            *at == 0 || (*at < self.page_size && bytes <= PAGE_BYTES)
        };
        let end = start + rest.iter().enumerate().take_while(fits).count();
        (end < self.tools.len()).then_some(end)
    }

    fn page(&self, after: Option<&str>) -> Arc<Page> {
        let start = after.map_or(0, |after| self.tools.partition_point(|(name, _)| name.as_str() <= after));
        match self.starts.binary_search(&start) {
            Ok(prepared) => {
                let page = self.pages[prepared].get_or_init(|| Arc::new(Page::prepared(self.make(start))));
                Arc::clone(page)
            }
            Err(_) => Arc::new(Page::passing(self.make(start))),
        }
    }

    fn make(&self, start: usize) -> Bytes {
        let end = self.end(start);
        let tools = &self.tools[start.min(self.tools.len())..end.unwrap_or(self.tools.len())];
        let mut text =
            String::with_capacity(tools.iter().map(|(_, entry)| entry.len() + 1).sum::<usize>() + 400);
        text.push_str("{\"tools\":[");
        for (at, (_, entry)) in tools.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(entry);
        }
        text.push(']');
        if let (Some(_), Some((last, _))) = (end, tools.last()) {
            let cursor = URL_SAFE_NO_PAD.encode(format!("{CURSOR}{last}"));
            // Writing to a text can't fail, here and below.
            let _ = write!(text, ",\"nextCursor\":{}", json!(cursor));
        }
        if self.era == Era::Modern {
            let meta = mcp::server_meta();
            let _ = write!(
                text,
                ",\"resultType\":\"complete\",\"ttlMs\":{FRESH_MS},\"cacheScope\":\"private\",\"_meta\":{meta}"
            );
        }
        text.push('}');
        text.into()
    }
}

/// A page of the list for `audience` as the result of `tools/list`; nothing if the cursor is none of ours.
pub(crate) fn page(
    table: &Table,
    audience: &Audience,
    era: Era,
    page_size: usize,
    cursor: Option<&str>,
) -> Option<Arc<Page>> {
    let list = table.list(audience, era, page_size);
    let Some(cursor) = cursor else { return Some(list.page(None)) };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    Some(list.page(Some(text.strip_prefix(CURSOR)?)))
}
