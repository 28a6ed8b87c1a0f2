use std::{collections::HashMap, fmt::Write as _};

use domain::{id::Digest, name::PlanName};
use proptest::prelude::*;

use super::*;
use crate::repository::{Error, PathChange, Tree};

/// Blobs in memory.
#[derive(Default)]
struct Blobs(HashMap<BlobId, Vec<u8>>);

impl Blobs {
    fn put(&mut self, text: &str) -> BlobId {
        let id: BlobId = Digest::of(text.as_bytes()).to_string().parse().unwrap();
        self.0.insert(id.clone(), text.as_bytes().to_vec());
        id
    }
}

impl Objects for Blobs {
    fn read_up_to(&self, blob: &BlobId, limit: usize) -> Result<Result<Vec<u8>, usize>, Error> {
        let bytes = self.0.get(blob).ok_or_else(|| Error::NoSuchBlob(blob.clone()))?;
        Ok(if bytes.len() > limit { Err(bytes.len()) } else { Ok(bytes.clone()) })
    }

    fn api_at(
        &self,
        commit: &CommitId,
        _: &CommitId,
        _: &TenantName,
        _: &ApiName,
    ) -> Result<ApiContent, PinError> {
        Err(PinError::NotInHistory(commit.clone()))
    }
}

fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(b"openapi") { Ok(()) } else { Err("no OpenAPI document".to_owned()) }
}

/// A branch without Git: a tree of texts, committed with a counter.
struct Branch {
    blobs: Blobs,
    tree: Tree,
    committed: Tree,
    commits: u32,
    state: Effective,
}

impl Branch {
    fn new() -> Self {
        let mut branch = Self {
            blobs: Blobs::default(),
            tree: Tree::new(),
            committed: Tree::new(),
            commits: 0,
            state: Effective::default(),
        };
        branch.put("environments/dev/config.yaml", "environment: dev");
        let gateway = "apiVersion: stoa.io/v1\nkind: Gateway\nmetadata: {name: builtin}\n\
                       spec: {type: builtin, address: 'http://g'}";
        branch.put("environments/dev/gateways/builtin.yaml", gateway);
        branch.tenant("acme");
        branch.commit();
        branch
    }

    fn put(&mut self, path: &str, text: &str) {
        let blob = self.blobs.put(text);
        self.tree.insert(path.to_owned(), blob);
    }

    fn remove(&mut self, prefix: &str) {
        self.tree.retain(|path, _| !path.starts_with(prefix));
    }

    fn tenant(&mut self, name: &str) {
        self.put(&format!("tenants/{name}/tenant.yaml"), &format!("id: {name}\n"));
    }

    fn api(&mut self, name: &str, backend: &str) {
        self.put(
            &format!("tenants/acme/apis/{name}/api.yaml"),
            &format!("name: {name}\nbackend_url: {backend}\n"),
        );
        self.put(&format!("tenants/acme/apis/{name}/openapi.yaml"), "openapi: 3.1.0");
    }

    fn deployment(&mut self, api: &str) {
        let text = "apiVersion: stoa.io/v1\nkind: Deployment\nspec: {follow: head, gateways: [builtin]}";
        self.put(&format!("tenants/acme/apis/{api}/deployments/dev.yaml"), text);
    }

    fn id(&self) -> CommitId {
        format!("{:040x}", self.commits).parse().unwrap()
    }

    /// Commits, and tells what is wrong since.
    fn commit(&mut self) -> Vec<String> {
        self.commits += 1;
        let paths = self.committed.keys().chain(self.tree.keys());
        let changed: std::collections::BTreeSet<&String> =
            paths.filter(|path| self.committed.get(*path) != self.tree.get(*path)).collect();
        let changed: Vec<PathChange> = changed
            .into_iter()
            .map(|path| PathChange {
                path: path.clone(),
                before: self.committed.get(path).cloned(),
                after: self.tree.get(path).cloned(),
            })
            .collect();
        let advance = self.state.advance(&self.id(), &changed, Span::Commit, &self.blobs, &check).unwrap();
        self.state = advance.effective;
        self.committed = self.tree.clone();
        self.assert_sound();
        advance.problems.iter().map(ToString::to_string).collect()
    }

    /// What must hold whatever was committed.
    fn assert_sound(&self) {
        for declared in self.state.entities.values() {
            for slot in references::references(&declared.entity) {
                assert!(self.state.slots.contains_key(&slot), "{} refers to {slot:?}", declared.path);
            }
        }
        let again = Effective::resume(
            self.state.commit.clone(),
            self.state.rows().map(|row| Row::clone(row)),
            &self.blobs,
        );
        let again = again.unwrap();
        assert_eq!(again.entities, self.state.entities);
        assert_eq!(again.slots, self.state.slots);
        assert_eq!(again.pending.keys().collect::<Vec<_>>(), self.state.pending.keys().collect::<Vec<_>>());
    }

    fn keys(&self) -> Vec<String> {
        self.state.entities().map(|(path, _)| path.to_string()).collect()
    }

    fn standing(&self, path: &str) -> Option<Standing> {
        self.state.rows.get(path).map(|row| row.standing())
    }
}

fn told(changes: &[EntityChange]) -> Vec<String> {
    changes
        .iter()
        .map(|it| {
            let sign = match it.change {
                Change::Created(_) => '+',
                Change::Updated { .. } => '~',
                Change::Removed(_) => '-',
            };
            format!("{sign} {}", it.path)
        })
        .collect()
}

#[test]
fn a_tenant_its_api_and_deployment_in_one_commit_come_in_their_order() {
    let mut branch = Branch::new();
    let before = branch.state.clone();
    branch.api("pets", "http://a");
    branch.deployment("pets");
    branch.tenant("globex");
    assert_eq!(branch.commit(), [""; 0]);
    let after = branch.state.clone();
    let there = told(&changes(&before, &after));
    assert_eq!(
        there,
        ["+ tenants/globex", "+ tenants/acme/apis/pets", "+ tenants/acme/apis/pets/deployments/dev"]
    );
    let back = told(&changes(&after, &before));
    assert_eq!(
        back,
        ["- tenants/acme/apis/pets/deployments/dev", "- tenants/acme/apis/pets", "- tenants/globex"]
    );
}

#[test]
fn an_invalid_file_keeps_its_former_content_and_the_rest_takes_effect() {
    let mut branch = Branch::new();
    for index in 0..50 {
        branch.tenant(&format!("tenant-{index:02}"));
    }
    branch.commit();
    let before = branch.state.clone();
    for index in 0..50 {
        let name = format!("tenant-{index:02}");
        branch.put(&format!("tenants/{name}/tenant.yaml"), &format!("id: {name}\ndescription: new\n"));
    }
    branch.put("tenants/tenant-17/tenant.yaml", "id: tenant-17\ndescripton: new\n");
    assert_eq!(
        branch.commit(),
        [
            "tenants/tenant-17/tenant.yaml:2:1: `descripton`: unknown field `descripton`; did you mean `description`?"
        ]
    );
    assert_eq!(changes(&before, &branch.state).len(), 49);
    assert_eq!(branch.standing("tenants/tenant-17/tenant.yaml"), Some(Standing::Kept));
    // The next commit does not tell it again; mending it does what it says.
    branch.tenant("other");
    assert_eq!(branch.commit(), [""; 0]);
    branch.put("tenants/tenant-17/tenant.yaml", "id: tenant-17\ndescription: new\n");
    assert_eq!(branch.commit(), [""; 0]);
    assert_eq!(branch.standing("tenants/tenant-17/tenant.yaml"), Some(Standing::Current));
}

#[test]
fn a_document_of_another_tenant_is_refused() {
    let mut branch = Branch::new();
    let text = "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets, tenant: globex}\n\
                spec: {backend: {url: 'http://a'}}";
    branch.put("tenants/acme/apis/pets/api.yaml", text);
    branch.put("tenants/acme/apis/pets/openapi.yaml", "openapi: 3.1.0");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/api.yaml:3:24: `metadata.tenant`: the document says `globex`, its path says `acme`"
        ]
    );
    assert_eq!(branch.standing("tenants/acme/apis/pets/api.yaml"), Some(Standing::Refused));
}

#[test]
fn what_is_still_referred_to_stays_and_goes_with_its_last_referrer() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.deployment("pets");
    branch.commit();
    branch.remove("tenants/acme/apis/pets/api.yaml");
    branch.remove("tenants/acme/apis/pets/openapi.yaml");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/api.yaml: the file was removed, but stays in effect: \
             tenants/acme/apis/pets/deployments/dev refers to it",
            "tenants/acme/apis/pets/openapi.yaml: the file was removed, but stays in effect: \
             tenants/acme/apis/pets refers to it",
        ]
    );
    assert_eq!(branch.standing("tenants/acme/apis/pets/api.yaml"), Some(Standing::Orphaned));
    let api = branch.state.get(&"tenants/acme/apis/pets".parse().unwrap()).unwrap();
    assert_eq!(api.orphaned_by, ["tenants/acme/apis/pets/deployments/dev".parse().unwrap()]);
    let before = branch.state.clone();
    branch.remove("tenants/acme/apis/pets");
    branch.commit();
    assert_eq!(
        told(&changes(&before, &branch.state)),
        ["- tenants/acme/apis/pets/deployments/dev", "- tenants/acme/apis/pets"]
    );
    assert_eq!(branch.state.rows().filter(|row| row.path.contains("pets")).count(), 0);
}

#[test]
fn a_deployment_waits_for_what_it_refers_to() {
    let mut branch = Branch::new();
    branch.deployment("pets");
    assert_eq!(
        branch.commit(),
        ["tenants/acme/apis/pets/deployments/dev.yaml: there is no API `tenants/acme/apis/pets`"]
    );
    branch.api("pets", "http://a");
    assert_eq!(branch.commit(), [""; 0]);
    assert!(branch.keys().contains(&"tenants/acme/apis/pets/deployments/dev".to_owned()));
    assert_eq!(branch.standing("tenants/acme/apis/pets/deployments/dev.yaml"), Some(Standing::Current));
}

#[test]
fn an_api_needs_a_valid_openapi_document() {
    let mut branch = Branch::new();
    branch.put("tenants/acme/apis/pets/api.yaml", "name: pets\nbackend_url: http://a\n");
    assert_eq!(
        branch.commit(),
        ["tenants/acme/apis/pets/api.yaml: there is no OpenAPI document of `tenants/acme/apis/pets`"]
    );
    branch.put("tenants/acme/apis/pets/openapi.json", "{}");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/api.yaml: the OpenAPI document of `tenants/acme/apis/pets` is not valid",
            "tenants/acme/apis/pets/openapi.json: no OpenAPI document",
        ]
    );
    branch.put("tenants/acme/apis/pets/openapi.json", "openapi");
    assert_eq!(branch.commit(), [""; 0]);
    // A broken one later leaves the former in effect, and the API takes its own changes.
    branch.put("tenants/acme/apis/pets/openapi.json", "{}");
    branch.put("tenants/acme/apis/pets/api.yaml", "name: pets\nbackend_url: http://b\n");
    assert_eq!(branch.commit().len(), 1);
    let (api, declared) = branch.state.api(&"acme".parse().unwrap(), &"pets".parse().unwrap()).unwrap();
    assert_eq!(api.backend.url, "http://b");
    assert_eq!(branch.blobs.0[&declared.openapi.as_ref().unwrap().origin.blob], b"openapi");
}

#[test]
fn an_openapi_document_may_change_its_notation() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.commit();
    branch.remove("tenants/acme/apis/pets/openapi.yaml");
    branch.put("tenants/acme/apis/pets/openapi.json", "openapi in json");
    assert_eq!(branch.commit(), [""; 0]);
    let api = branch.state.get(&"tenants/acme/apis/pets".parse().unwrap()).unwrap();
    assert_eq!(&*api.openapi.as_ref().unwrap().path, "tenants/acme/apis/pets/openapi.json");
    branch.put("tenants/acme/apis/pets/openapi.yaml", "openapi in yaml");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/openapi.json: `tenants/acme/apis/pets/openapi.yaml` says the same, and is read instead"
        ]
    );
}

#[test]
fn an_email_and_a_uid_belong_to_one() {
    let mut branch = Branch::new();
    branch.tenant("globex");
    branch.put("tenants/acme/users.yaml", "users: [{email: ada@x.org}]");
    branch.commit();
    branch.put("tenants/globex/users.yaml", "users: [{email: Ada@x.org}]");
    assert_eq!(
        branch.commit(),
        ["tenants/globex/users.yaml: `spec.users`: e-mail `ada@x.org` belongs to tenant `acme`"]
    );
    // Moving it in one commit is fine.
    branch.put("tenants/acme/users.yaml", "users: []");
    branch.put("tenants/globex/users.yaml", "users: [{email: ada@x.org}]");
    assert_eq!(branch.commit(), [""; 0]);

    let uid = "0198c0de-0000-7000-8000-000000000001";
    for name in ["pets", "cats"] {
        branch.api(name, "http://a");
        let text = format!("id: {uid}\nname: {name}\nbackend_url: http://a\n");
        branch.put(&format!("tenants/acme/apis/{name}/api.yaml"), &text);
    }
    assert_eq!(
        branch.commit(),
        [format!(
            "tenants/acme/apis/pets/api.yaml: `metadata.uid`: uid `{uid}` belongs to `tenants/acme/apis/cats`"
        )]
    );
}

#[test]
fn a_uid_does_not_change() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.commit();
    let uid = "0198c0de-0000-7000-8000-000000000001";
    let text = format!("id: {uid}\nname: pets\nbackend_url: http://b\n");
    branch.put("tenants/acme/apis/pets/api.yaml", &text);
    let problems = branch.commit();
    assert!(problems[0].contains("cannot become"), "{problems:?}");
    assert_eq!(branch.standing("tenants/acme/apis/pets/api.yaml"), Some(Standing::Kept));
}

#[test]
fn a_way_there_and_back_is_two_changes_and_a_blob_of_the_past_is_new_again() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.commit();
    let first = branch.state.clone();
    branch.api("pets", "http://b");
    branch.commit();
    let second = branch.state.clone();
    branch.api("pets", "http://a");
    branch.commit();
    assert_eq!(told(&changes(&first, &second)), ["~ tenants/acme/apis/pets"]);
    assert_eq!(told(&changes(&second, &branch.state)), ["~ tenants/acme/apis/pets"]);
    assert_eq!(told(&changes(&first, &branch.state)), [""; 0]);
    let origin = |state: &Effective| state.rows["tenants/acme/apis/pets/api.yaml"].effective.clone().unwrap();
    assert_ne!(origin(&first).commit, origin(&branch.state).commit);
}

#[test]
fn a_typo_in_a_folder_is_a_warning() {
    let mut branch = Branch::new();
    branch.put("tenants/acme/apis/pets/deployment/dev.yaml", "kind: Deployment");
    branch.put("tenants/Globex/tenant.yaml", "id: Globex");
    let problems = branch.commit();
    assert_eq!(problems.len(), 2);
    let severities: Vec<_> = branch.state.problems().map(|problem| problem.severity).collect();
    assert_eq!(severities, [crate::Severity::Error, crate::Severity::Warning]);
    branch.remove("tenants/Globex");
    branch.remove("tenants/acme/apis/pets");
    assert_eq!(branch.commit(), [""; 0]);
    assert_eq!(branch.state.problems().count(), 0);
}

#[test]
fn what_a_variable_touches_is_known() {
    let mut branch = Branch::new();
    for name in ["cats", "dogs"] {
        branch.api(name, "http://a");
        branch.deployment(name);
    }
    branch.commit();
    let before = branch.state.clone();
    branch.put("environments/dev/config.yaml", "environment: dev\nvariables: {BACKEND_TIMEOUT: 5}");
    branch.commit();
    assert_eq!(touched_deployments(&changes(&before, &branch.state), &branch.state).len(), 2);
    let before = branch.state.clone();
    branch.api("dogs", "http://b");
    branch.put("plans/gold.yaml", "apiVersion: stoa.io/v1\nkind: Plan\nmetadata: {name: gold}\nspec: {}");
    branch.commit();
    let touched = touched_deployments(&changes(&before, &branch.state), &branch.state);
    assert_eq!(touched, ["tenants/acme/apis/dogs/deployments/dev".parse().unwrap()].into());
    assert!("gold".parse::<PlanName>().is_ok());
}

#[test]
fn rows_survive_serialisation() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.deployment("pets");
    branch.commit();
    branch.remove("tenants/acme/apis/pets/api.yaml");
    branch.put("tenants/acme/tenant.yaml", "nonsense");
    branch.commit();
    let rows: Vec<Row> = branch.state.rows().map(|row| Row::clone(row)).collect();
    let text = serde_yaml::to_string(&rows).unwrap();
    assert_eq!(serde_yaml::from_str::<Vec<Row>>(&text).unwrap(), rows);
}

/// One of a few edits, so that they meet each other often.
fn edit() -> impl Strategy<Value = (u8, u8)> {
    (0_u8..12, 0_u8..3)
}

fn perform(branch: &mut Branch, (what, which): (u8, u8)) {
    let api = ["cats", "dogs", "pets"][usize::from(which)];
    let folder = format!("tenants/acme/apis/{api}");
    match what {
        0 => branch.api(api, "http://a"),
        1 => branch.api(api, "http://b"),
        2 => branch.deployment(api),
        3 => branch.remove(&format!("{folder}/api.yaml")),
        4 => branch.remove(&format!("{folder}/openapi")),
        5 => branch.remove(&folder),
        6 => branch.put(&format!("{folder}/api.yaml"), "nonsense: [1"),
        7 => branch.put(&format!("{folder}/openapi.json"), if which == 0 { "bad" } else { "openapi" }),
        8 => branch.remove("tenants/acme/tenant.yaml"),
        9 => branch.tenant("acme"),
        10 => branch.remove("environments/dev/gateways"),
        _ => {
            let mut text = String::from("id: 0198c0de-0000-7000-8000-000000000001\n");
            let _ = writeln!(text, "name: {api}\nbackend_url: http://c");
            branch.put(&format!("{folder}/api.yaml"), &text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_committed_nothing_dangles_and_changes_lead_from_state_to_state(
        commits in proptest::collection::vec(proptest::collection::vec(edit(), 1..4), 1..10),
    ) {
        let mut branch = Branch::new();
        let start = branch.state.clone();
        for edits in commits {
            let before = branch.state.clone();
            for edit in edits {
                perform(&mut branch, edit);
            }
            branch.commit();
            for (from, to) in [(&before, &branch.state), (&start, &branch.state), (&branch.state, &before)] {
                let reached = apply(&changes(from, to), &from.entities);
                prop_assert_eq!(reached.len(), to.entities.len());
                for (path, declared) in &reached {
                    prop_assert!(declared.same_content(&to.entities[path]), "{}", path);
                }
            }
            let mut rows: BTreeMap<Arc<str>, Arc<Row>> = before.rows.clone();
            for change in branch.state.row_changes(&before) {
                match change {
                    RowChange::Put(row) => drop(rows.insert(Arc::clone(&row.path), row)),
                    RowChange::Delete(path) => drop(rows.remove(&path)),
                }
            }
            prop_assert_eq!(&rows, &branch.state.rows);
        }
    }
}
