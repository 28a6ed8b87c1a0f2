//! Errors of commands and of the store as answers.

use web::{Kind, Problem};

use crate::{
    commands::{CommandError, Refusal},
    store,
};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail: String = refusal.to_string().chars().take(2000).collect();
        let problem = Self::new(kind(&refusal), detail).member("reason", refusal.reason());
        match refusal {
            Refusal::TenantNotEmpty { apis, applications, .. } => {
                problem.member("apis", apis).member("applications", applications)
            }
            Refusal::StillReferenced { by, .. } => problem.member("referenced_by", by),
            Refusal::Quota { limit, .. } => problem.member("limit", limit),
            Refusal::InvalidDocument { line, column, problems, .. } => {
                let mut problem = problem;
                for (name, place) in [("line", line), ("column", column)] {
                    if let Some(place) = place {
                        problem = problem.member(name, place);
                    }
                }
                if problems.is_empty() { problem } else { problem.member("problems", problems) }
            }
            Refusal::InvalidField { field: Some(field), .. } => problem.member("field", field),
            _ => problem,
        }
    }
}

fn kind(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::TenantNotFound(_) => Kind::TenantNotFound,
        Refusal::ApiNotFound { .. } => Kind::ApiNotFound,
        Refusal::EnvironmentNotFound(_) => Kind::EnvironmentNotFound,
        Refusal::GatewayNotFound { .. } | Refusal::NotOnGateway { .. } => Kind::GatewayNotFound,
        Refusal::NotDeployed { .. } => Kind::DeploymentNotFound,
        Refusal::EnvironmentClosed { .. } | Refusal::InvalidPin { .. } => Kind::InvalidReference,
        Refusal::NameTaken { .. } => Kind::NameTaken,
        Refusal::InvalidName(_) => Kind::InvalidName,
        Refusal::TenantNotEmpty { .. } => Kind::TenantNotEmpty,
        Refusal::StillReferenced { .. } => Kind::StillReferenced,
        Refusal::NoGateway(_)
        | Refusal::Absent { .. }
        | Refusal::PlatformTenant
        | Refusal::Quota { .. }
        | Refusal::NothingEarlier { .. } => Kind::Conflict,
        Refusal::InvalidDocument { .. } => Kind::InvalidDocument,
        Refusal::InvalidField { .. } => Kind::InvalidBody,
        Refusal::Precondition => Kind::PreconditionFailed,
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Contended => {
                Self::new(Kind::Conflict, "others change the repository at the same time").retry_after(1)
            }
            CommandError::Repository(_) | CommandError::Write(_) => {
                Self::unavailable("the repository", &error, 5)
            }
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Self::unavailable("the store", &error, 2)
    }
}
