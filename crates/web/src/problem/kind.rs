//! The table of problems.

use actix_web::http::StatusCode;

macro_rules! kinds {
    ($($variant:ident, $slug:literal, $status:literal, $title:literal;)+) => {
        /// What kind of problem it is; each has a page in `docs/errors/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $title] $variant,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable last part of its `type`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)+ }
            }

            /// The same sentence for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let code: u16 = match self { $(Self::$variant => $status,)+ };
                StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The page that explains it, in Markdown.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../../../../docs/errors/", $slug, ".md")),)+
                }
            }
        }
    };
}

kinds! {
    BadRequest, "bad-request", 400, "Request is malformed";
    InvalidCursor, "invalid-cursor", 400, "Cursor is not valid";
    Unauthenticated, "unauthenticated", 401, "Sign-in is needed";
    Forbidden, "forbidden", 403, "Not allowed";
    NotFound, "not-found", 404, "Nothing is here";
    TenantNotFound, "tenant-not-found", 404, "Tenant does not exist";
    ApiNotFound, "api-not-found", 404, "API does not exist";
    ApplicationNotFound, "application-not-found", 404, "Application does not exist";
    DeploymentNotFound, "deployment-not-found", 404, "Deployment does not exist";
    EnvironmentNotFound, "environment-not-found", 404, "Environment does not exist";
    GatewayNotFound, "gateway-not-found", 404, "Gateway does not exist";
    PlanNotFound, "plan-not-found", 404, "Plan does not exist";
    TraceNotFound, "trace-not-found", 404, "Trace does not exist";
    CommitNotFound, "commit-not-found", 404, "Commit does not exist";
    MethodNotAllowed, "method-not-allowed", 405, "Method is not allowed";
    NotAcceptable, "not-acceptable", 406, "No acceptable form";
    Conflict, "conflict", 409, "Conflicts with the present state";
    NameTaken, "name-taken", 409, "Name is taken";
    TenantNotEmpty, "tenant-not-empty", 409, "Tenant is not empty";
    StillReferenced, "still-referenced", 409, "Still in use";
    IdempotencyInProgress, "idempotency-in-progress", 409, "Request is still being answered";
    PreconditionFailed, "precondition-failed", 412, "Changed in the meantime";
    BodyTooLarge, "body-too-large", 413, "Body is too large";
    UnsupportedMediaType, "unsupported-media-type", 415, "Form of the body is not supported";
    InvalidBody, "invalid-body", 422, "Body is not valid";
    InvalidName, "invalid-name", 422, "Name is not valid";
    InvalidDocument, "invalid-document", 422, "Document is not valid";
    InvalidReference, "invalid-reference", 422, "Refers to something that is not there";
    InlineSecret, "inline-secret", 422, "Secret stands in the text";
    IdempotencyMismatch, "idempotency-mismatch", 422, "Idempotency key was used for another request";
    PreconditionRequired, "precondition-required", 428, "`If-Match` is needed";
    TooManyRequests, "too-many-requests", 429, "Too many requests";
    Internal, "internal", 500, "Error on our side";
    UpstreamFailed, "upstream-failed", 502, "Answer from behind was not usable";
    Unavailable, "unavailable", 503, "Not available at present";
    NotReady, "not-ready", 503, "Not ready yet";
    CommitNotReached, "commit-not-reached", 504, "Commit is not reached yet";
    Timeout, "timeout", 504, "Took too long";
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_kind_has_its_page_and_every_page_its_kind() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let pages =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let pages: BTreeSet<_> = pages.filter(|name| name != "README.md").collect();
        let kinds: BTreeSet<_> = Kind::ALL.iter().map(|kind| format!("{}.md", kind.slug())).collect();
        assert_eq!(pages, kinds);
    }

    #[test]
    fn the_list_of_pages_is_the_table() {
        let list = include_str!("../../../../docs/errors/README.md");
        let rows: Vec<_> =
            list.lines().filter(|line| line.starts_with("| ") && line.contains(".md)")).collect();
        let row = |kind: &Kind| {
            let (status, slug) = (kind.status().as_u16(), kind.slug());
            format!("| {status} | [{slug}]({slug}.md) | {} |", kind.title())
        };
        assert_eq!(rows, Kind::ALL.iter().map(row).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_says_what_the_table_says() {
        for kind in Kind::ALL {
            let (status, slug) = (kind.status().as_u16(), kind.slug());
            let head = format!("# {}\n\nStatus {status}, type `/errors/{slug}`.\n", kind.title());
            assert!(kind.page().starts_with(&head), "{slug}");
            for part in ["**What it means.**", "**Usual cause.**", "**What to do.**"] {
                assert!(kind.page().contains(part), "{slug} lacks {part}");
            }
        }
    }
}
