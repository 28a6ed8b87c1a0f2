//! Groups of orders as people see them: one deployment of an API to an environment.
//!
//! Pure: what a group adds up to, and which content ran before another.

use domain::id::CommitId;

use crate::store::DeploymentRow;

/// How a group of orders stands: as its unfinished ones, or as the worst of its ends.
pub(crate) fn status(orders: &[DeploymentRow]) -> &'static str {
    let all = |status: &str| orders.iter().all(|order| order.status == status);
    let any = |status: &str| orders.iter().any(|order| order.status == status);
    if all("pending") {
        return "pending";
    }
    if any("pending") || any("in_progress") {
        return "in_progress";
    }
    let ends = ["failed", "expired", "cancelled", "superseded"];
    ends.into_iter().find(|end| any(end)).unwrap_or("succeeded")
}

/// The content that ran before a group, told by groups from the newest to the oldest; before the newest, if none
/// is named.
///
/// Content that did not come to run, or that is the same, does not count.
pub(crate) fn earlier_content(groups: &[Vec<DeploymentRow>], than: Option<&str>) -> Option<CommitId> {
    let from = match than {
        None => 0,
        Some(than) => {
            groups.iter().position(|group| group.first().is_some_and(|order| order.group == than))?
        }
    };
    let present = groups.get(from)?.first()?;
    let ran = |group: &&Vec<DeploymentRow>| {
        group.iter().all(|order| order.kind == "apply") && status(group) == "succeeded"
    };
    groups
        .get(from + 1..)?
        .iter()
        .filter(ran)
        .filter_map(|group| group.first())
        .find(|order| order.digest != present.digest && order.content_commit != present.content_commit)
        .and_then(|order| order.content_commit.parse().ok())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn order(group: &str, status: &str, content: char) -> DeploymentRow {
        DeploymentRow {
            order_id: format!("order of {group}"),
            group: group.to_owned(),
            tenant: "acme".to_owned(),
            api: "pets".to_owned(),
            environment: "dev".to_owned(),
            gateway: "builtin".to_owned(),
            kind: "apply".to_owned(),
            revision: 1,
            commit: content.to_string().repeat(40),
            content_commit: content.to_string().repeat(40),
            version: "1".to_owned(),
            digest: content.to_string(),
            actor: "ada".to_owned(),
            trace: "t".to_owned(),
            status: status.to_owned(),
            reason: None,
            message: None,
            ordered_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
        }
    }

    #[test]
    fn a_group_stands_as_its_worst_order() {
        for (statuses, expected) in [
            (&["pending", "pending"][..], "pending"),
            (&["pending", "succeeded"], "in_progress"),
            (&["in_progress", "failed"], "in_progress"),
            (&["succeeded", "failed"], "failed"),
            (&["succeeded", "superseded"], "superseded"),
            (&["succeeded", "succeeded"], "succeeded"),
        ] {
            let orders: Vec<_> = statuses.iter().map(|status| order("g", status, 'a')).collect();
            assert_eq!(status(&orders), expected, "{statuses:?}");
        }
    }

    #[test]
    fn a_rollback_goes_to_the_last_content_that_ran_and_differs() {
        let groups: Vec<Vec<DeploymentRow>> = [
            ("5", "failed", 'd'),
            ("4", "succeeded", 'c'),
            ("3", "succeeded", 'c'),
            ("2", "failed", 'b'),
            ("1", "succeeded", 'a'),
        ]
        .map(|(group, status, content)| vec![order(group, status, content)])
        .into();
        let earlier = |than| earlier_content(&groups, than).map(|commit| commit.as_str()[..1].to_owned());
        assert_eq!(earlier(None).as_deref(), Some("c"));
        assert_eq!(earlier(Some("4")).as_deref(), Some("a"));
        assert_eq!(earlier(Some("1")), None);
        assert_eq!(earlier(Some("unknown")), None);
    }
}
