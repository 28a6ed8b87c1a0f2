//! What documents of all kinds have in common: `apiVersion`, `kind`, `metadata`, and their agreement with the path.

use domain::{
    entity::{Entity, EntityPath, Kind},
    id::derived_id,
};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Form,
    decode::Source,
    error::DocumentError,
    shape::Header,
    value::{Retired, is_default, retired},
};

/// The `apiVersion` of the form that is written.
pub const API_VERSION: &str = "stoa.io/v1";

/// The `apiVersion`s of the original and its successors.
const ORIGINAL_VERSIONS: [&str; 3] = ["stoa.cab-i.com/v1", "gostoa.dev/v1", "gostoa.dev/v1beta1"];

/// The kinds that the original keeps in flat files.
const FLAT_KINDS: [Kind; 6] =
    [Kind::Defaults, Kind::Environment, Kind::Tenant, Kind::Users, Kind::TenantVariables, Kind::Api];

/// An entity, and the retired fields that its document carries.
pub(super) type Read = Result<(Entity, Vec<&'static str>), DocumentError>;

/// A document while it is read.
pub(super) struct Context<'a> {
    pub(super) source: Source<'a>,
    pub(super) path: &'a EntityPath,
    pub(super) form: Form,
}

/// A document in Kubernetes style.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Envelope<S> {
    /// The form of the document.
    pub(super) api_version: String,
    /// What it declares.
    pub(super) kind: String,
    /// Names and ids; those that the path says, too, must agree with it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) metadata: Metadata,
    /// What is declared.
    pub(super) spec: S,
}

/// Names and ids of the entity.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Metadata {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    /// The API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<String>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
    /// Its id, which never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<Uuid>,
    /// Version of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// Another word for `tenant`.
    #[serde(skip_serializing)]
    pub(super) namespace: Option<String>,
    /// Later documents have it here instead of in `spec`.
    #[serde(skip_serializing)]
    pub(super) display_name: Option<String>,
    /// What it is, for people.
    #[serde(skip_serializing)]
    pub(super) description: Option<String>,
    /// The original's name of a promotion request.
    #[serde(skip_serializing)]
    pub(super) id: Option<String>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub(super) created_by: Option<Retired>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub(super) created_at: Option<Retired>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub(super) labels: Option<Retired>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub(super) annotations: Option<Retired>,
}

impl PartialEq for Metadata {
    /// Equal in what is written.
    fn eq(&self, other: &Self) -> bool {
        let written = |it: &Self| {
            (
                it.name.clone(),
                it.tenant.clone(),
                it.api.clone(),
                it.environment.clone(),
                it.uid,
                it.version.clone(),
            )
        };
        written(self) == written(other)
    }
}

/// Tells the form of a document, and that it is of the kind that its path says.
pub(super) fn form_of(source: &Source<'_>, kind: Kind, header: &Header) -> Result<Form, DocumentError> {
    let (version, found) = match (&header.api_version, &header.kind) {
        (Some(version), Some(found)) => (version, found),
        (None, None) if FLAT_KINDS.contains(&kind) => return Ok(Form::Flat),
        (None, None) => {
            let message = format!("`apiVersion: {API_VERSION}` and `kind: {kind}` are missing");
            return Err(DocumentError::about(source.path, message));
        }
        (Some(_), None) => {
            return Err(source.at("apiVersion", format!("`kind: {kind}` is missing beside it")));
        }
        (None, Some(_)) => {
            return Err(source.at("kind", format!("`apiVersion: {API_VERSION}` is missing beside it")));
        }
    };
    let form = if version == API_VERSION {
        Form::Current
    } else if ORIGINAL_VERSIONS.contains(&version.as_str()) {
        Form::Original(version.clone())
    } else {
        let mut error = source.at("apiVersion", format!("`{version}` is not known"));
        error.suggestion = Some(API_VERSION.to_owned());
        return Err(error);
    };
    if found == kind.as_str() {
        return Ok(form);
    }
    let mut error = source.at("kind", format!("`{found}` does not stand here"));
    error.suggestion = Some(kind.as_str().to_owned());
    Err(error)
}

impl Context<'_> {
    /// Reads the document in Kubernetes style, its names agreeing with the path.
    pub(super) fn envelope<S: serde::de::DeserializeOwned>(&self) -> Result<Envelope<S>, DocumentError> {
        let envelope: Envelope<S> = self.source.decode()?;
        let metadata = &envelope.metadata;
        let (name, tenant, api, environment) = self.names();
        if self.requires_name() && metadata.name.is_none() {
            return Err(self.source.at("metadata", "missing field `name`"));
        }
        self.agree("metadata.name", metadata.name.as_deref(), name.as_deref())?;
        self.agree("metadata.tenant", metadata.tenant.as_deref(), tenant.as_deref())?;
        self.agree("metadata.namespace", metadata.namespace.as_deref(), tenant.as_deref())?;
        self.agree("metadata.api", metadata.api.as_deref(), api.as_deref())?;
        // In the original's forms these are labels without effect.
        if self.form == Form::Current {
            self.retired(
                retired!(metadata; labels as "metadata.labels", annotations as "metadata.annotations",
                created_by as "metadata.createdBy", created_at as "metadata.createdAt"),
            )?;
            self.agree("metadata.environment", metadata.environment.as_deref(), environment.as_deref())?;
        }
        Ok(envelope)
    }

    /// Refuses a name in the document that is not the one of its path.
    pub(super) fn agree(
        &self,
        field: &str,
        said: Option<&str>,
        path: Option<&str>,
    ) -> Result<(), DocumentError> {
        match (said, path) {
            (Some(said), Some(path)) if said == path => Ok(()),
            (None, _) => Ok(()),
            (Some(said), Some(path)) => {
                Err(self.source.at(field, format!("the document says `{said}`, its path says `{path}`")))
            }
            (Some(_), None) => Err(self.source.at(field, format!("a {} has none", self.path.kind()))),
        }
    }

    /// The id of the entity: the written one, or one that follows from the path.
    pub(super) fn uid(&self, written: Option<Uuid>) -> Uuid {
        written.unwrap_or_else(|| derived_id(&["uid", &self.path.to_string()]))
    }

    /// The retired fields of the document, which only the original's forms may have.
    pub(super) fn retired(&self, fields: Vec<&'static str>) -> Result<Vec<String>, DocumentError> {
        match fields.first() {
            Some(field) if self.form == Form::Current => {
                let message =
                    format!("belongs to the original's form and has no effect in `{API_VERSION}`; remove it");
                Err(self.source.at(field, message))
            }
            _ => Ok(fields.into_iter().map(str::to_owned).collect()),
        }
    }

    fn requires_name(&self) -> bool {
        has_name(self.path.kind()) && self.form == Form::Current
    }

    /// The names that the path gives: own, tenant's, API's, environment's.
    fn names(&self) -> (Option<String>, Option<String>, Option<String>, Option<String>) {
        let tenant = self.path.tenant().map(ToString::to_string);
        let (name, api, environment) = match self.path {
            // Which tenant asks for a promotion stands in the document alone.
            EntityPath::Defaults | EntityPath::Users { .. } | EntityPath::PromotionRequest { .. } => {
                (None, None, None)
            }
            EntityPath::Environment { environment } => (Some(environment.to_string()), None, None),
            EntityPath::Gateway { environment, gateway } => {
                (Some(gateway.to_string()), None, Some(environment.to_string()))
            }
            EntityPath::Plan { plan } => (Some(plan.to_string()), None, None),
            EntityPath::Tenant { tenant } => return (Some(tenant.to_string()), None, None, None),
            EntityPath::TenantVariables { environment, .. } => (None, None, Some(environment.to_string())),
            EntityPath::Api { api, .. } => (Some(api.to_string()), None, None),
            EntityPath::Deployment { api, environment, .. } => {
                (None, Some(api.to_string()), Some(environment.to_string()))
            }
            EntityPath::Application { application, .. } => (Some(application.to_string()), None, None),
        };
        (name, tenant, api, environment)
    }
}

/// The JSON Schema of a kind's documents, in the dialect that editors know best.
pub(super) fn schema<S: JsonSchema>(kind: Kind) -> Schema {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Envelope<S>>();
    schema.insert("title".to_owned(), kind.as_str().into());
    schema.remove("description");
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties["apiVersion"] = json!({ "const": API_VERSION });
        properties["kind"] = json!({ "const": kind.as_str() });
    }
    if has_name(kind) {
        schema.insert("required".to_owned(), json!(["apiVersion", "kind", "metadata", "spec"]));
        if let Some(metadata) = schema.pointer_mut("/definitions/Metadata") {
            metadata["required"] = json!(["name"]);
        }
    }
    schema
}

/// Whether documents of a kind say their own name.
fn has_name(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Environment | Kind::Gateway | Kind::Plan | Kind::Tenant | Kind::Api | Kind::Application
    )
}

/// Writes a document in the own form.
pub(super) fn write<S: Serialize>(kind: Kind, metadata: Metadata, spec: S) -> String {
    let envelope =
        Envelope { api_version: API_VERSION.to_owned(), kind: kind.as_str().to_owned(), metadata, spec };
    serde_yaml::to_string(&envelope).expect("forms hold only what YAML can express")
}
