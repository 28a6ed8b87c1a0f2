//! Why a command is not carried out.

use domain::{
    Classify, Disposition,
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use gitops::{WriteError, repository};

/// Why a command has no effect, whoever asks for it: something that only the caller can change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no tenant `{0}`")]
    TenantNotFound(TenantName),
    #[error("tenant `{tenant}` has no API `{api}`")]
    ApiNotFound { tenant: TenantName, api: ApiName },
    #[error("there is no environment `{0}`")]
    EnvironmentNotFound(EnvironmentName),
    #[error("environment `{environment}` has no gateway `{gateway}`")]
    GatewayNotFound { environment: EnvironmentName, gateway: GatewayName },
    #[error("API `{api}` has no deployment in `{environment}`")]
    NotDeployed { api: ApiName, environment: EnvironmentName },
    #[error("API `{api}` is declared to be absent from `{environment}`")]
    Absent { api: ApiName, environment: EnvironmentName },
    #[error("API `{api}` is not deployed to gateway `{gateway}` of `{environment}`")]
    NotOnGateway { api: ApiName, environment: EnvironmentName, gateway: GatewayName },
    #[error("tenant `{tenant}` may not deploy to `{environment}`")]
    EnvironmentClosed { tenant: TenantName, environment: EnvironmentName },
    #[error("environment `{0}` has no gateway to deploy to")]
    NoGateway(EnvironmentName),
    #[error("{kind} `{name}` already exists")]
    NameTaken { kind: &'static str, name: String },
    #[error("{0}")]
    InvalidName(String),
    #[error("tenant `{tenant}` still has {apis} APIs and {applications} applications")]
    TenantNotEmpty { tenant: TenantName, apis: usize, applications: usize },
    #[error("the platform's own tenant cannot be removed")]
    PlatformTenant,
    #[error("{what} is still in use")]
    StillReferenced { what: String, by: Vec<String> },
    #[error("tenant `{tenant}` may have {limit} APIs, and has them")]
    Quota { tenant: TenantName, limit: u32 },
    #[error("the OpenAPI document is not valid: {message}")]
    InvalidDocument { message: String, line: Option<usize>, column: Option<usize>, problems: Vec<String> },
    #[error("{message}")]
    InvalidField { field: Option<String>, message: String },
    #[error("commit `{commit}` cannot be deployed: {message}")]
    InvalidPin { commit: CommitId, message: String },
    #[error("API `{api}` has no earlier deployment in `{environment}` that succeeded")]
    NothingEarlier { api: ApiName, environment: EnvironmentName },
    #[error("it is no longer the version that the condition names")]
    Precondition,
}

impl Refusal {
    /// A stable word for it.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::TenantNotFound(_) => "tenant-not-found",
            Self::ApiNotFound { .. } => "api-not-found",
            Self::EnvironmentNotFound(_) => "environment-not-found",
            Self::GatewayNotFound { .. } | Self::NotOnGateway { .. } => "gateway-not-found",
            Self::NotDeployed { .. } => "not-deployed",
            Self::Absent { .. } => "deployment-absent",
            Self::EnvironmentClosed { .. } => "environment-not-allowed",
            Self::NoGateway(_) => "no-gateway",
            Self::NameTaken { .. } => "name-taken",
            Self::InvalidName(_) => "invalid-name",
            Self::TenantNotEmpty { .. } => "tenant-not-empty",
            Self::PlatformTenant => "platform-tenant",
            Self::StillReferenced { .. } => "still-referenced",
            Self::Quota { .. } => "quota-exceeded",
            Self::InvalidDocument { .. } => "invalid-document",
            Self::InvalidField { .. } => "invalid-field",
            Self::InvalidPin { .. } => "invalid-pin",
            Self::NothingEarlier { .. } => "nothing-earlier",
            Self::Precondition => "precondition-failed",
        }
    }
}

impl From<domain::name::NameError> for Refusal {
    fn from(error: domain::name::NameError) -> Self {
        Self::InvalidName(error.to_string())
    }
}

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It is refused; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The repository cannot be read.
    #[error("could not read the repository")]
    Repository(#[from] repository::Error),
    /// The commit cannot be made.
    #[error("could not commit")]
    Write(#[source] WriteError),
    /// Others were faster each time.
    #[error("the branch kept moving")]
    Contended,
}

impl Classify for CommandError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Refused(_) => Disposition::Reject,
            // The input was checked before: what fails here is the repository, and it may come back.
            Self::Repository(_) | Self::Write(_) | Self::Contended => Disposition::Retry,
        }
    }
}
