//! All routes at one moment.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use domain::name::TenantName;

use super::{
    compile::{Route, ServedTool},
    list::{Audience, Era, List},
};

/// What is served; immutable, so that a request sees one state from its beginning to its end.
#[derive(Debug, Default)]
pub(crate) struct Table {
    version: u64,
    /// By `tenant/api`.
    routes: BTreeMap<String, Arc<Route>>,
    tools: HashMap<String, (Arc<Route>, usize)>,
    /// The version at which the tools of a tenant last changed.
    changed: HashMap<TenantName, u64>,
    /// Lists of tools, made when first asked for.
    lists: Mutex<HashMap<(Audience, Era), Arc<List>>>,
}

impl Table {
    /// The same with routes put in or, where there is none, taken out.
    pub(crate) fn with(
        &self,
        changes: impl IntoIterator<Item = (String, TenantName, Option<Arc<Route>>)>,
    ) -> Self {
        let version = self.version + 1;
        let mut routes = self.routes.clone();
        let mut stamps = self.changed.clone();
        for (key, tenant, route) in changes {
            let former = match &route {
                Some(route) => routes.insert(key, Arc::clone(route)),
                None => routes.remove(&key),
            };
            let entries =
                |route: &Arc<Route>| route.tools.iter().map(|tool| tool.modern.clone()).collect::<Vec<_>>();
            if former.as_ref().map(entries) != route.as_ref().map(entries) {
                stamps.insert(tenant, version);
            }
        }
        let mut tools = HashMap::new();
        for route in routes.values() {
            for (index, tool) in route.tools.iter().enumerate() {
                tools.insert(tool.name.clone(), (Arc::clone(route), index));
            }
        }
        Self { version, routes, tools, changed: stamps, lists: Mutex::default() }
    }

    /// The route of `tenant/api`.
    pub(crate) fn route(&self, key: &str) -> Option<&Arc<Route>> {
        self.routes.get(key)
    }

    /// Every route.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.values()
    }

    /// The tool of that name and its route.
    pub(crate) fn tool(&self, name: &str) -> Option<(&Arc<Route>, &ServedTool)> {
        let (route, index) = self.tools.get(name)?;
        Some((route, route.tools.get(*index)?))
    }

    /// How many tools there are.
    pub(crate) fn tool_count(&self) -> usize {
        self.tools.len()
    }

    /// A number that changes when the list of `audience` does.
    pub(crate) fn stamp(&self, audience: &Audience) -> u64 {
        match audience {
            Audience::Tenant(tenant) => self.changed.get(tenant).copied().unwrap_or_default(),
            Audience::Platform | Audience::Anyone => self.changed.values().copied().max().unwrap_or_default(),
            Audience::Nobody => 0,
        }
    }

    /// The list of tools for `audience`.
    pub(super) fn list(&self, audience: &Audience, era: Era, page_size: usize) -> Arc<List> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (audience.clone(), era);
        let list = lists.entry(key).or_insert_with(|| Arc::new(List::of(self, audience, era, page_size)));
        Arc::clone(list)
    }
}
