//! What holds whatever is committed.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{super::*, branch::Branch};

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
