//! Which file of the repository holds what.

use domain::{
    entity::EntityPath,
    name::{ApiName, TenantName},
};

/// What a file of the repository holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// An entity's document.
    Entity(EntityPath),
    /// The OpenAPI document of an API.
    OpenApi {
        /// The tenant that owns the API.
        tenant: TenantName,
        /// The API.
        api: ApiName,
    },
}

/// A place in the layout that a path fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What stands there.
    pub slot: Slot,
    /// Which of several paths of the same slot this is; the lowest is the one that the writer uses.
    pub rank: u8,
}

/// Why a path fits no place although it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The place is right, a name in it is not.
    #[error("{0}")]
    Name(String),
    /// A document in a folder that is read, where no document is expected.
    #[error("nothing is read from here")]
    Stray,
}

/// The layout of the repository; all of it is functions.
#[derive(Clone, Copy, Debug)]
pub struct Layout;

impl Layout {
    /// What stands at `path`: `None` for files that the platform does not read.
    pub fn place(path: &str) -> Result<Option<Place>, LayoutError> {
        let parts: Vec<&str> = path.split('/').collect();
        let Some((key, rank)) = entity_key(&parts) else {
            return openapi(&parts).or_else(|| stray(&parts)).transpose();
        };
        match key.parse() {
            Ok(entity) => Ok(Some(Place { slot: Slot::Entity(entity), rank })),
            Err(_) => Err(LayoutError::Name(wrong_name(&key))),
        }
    }

    /// The path to which the writer puts an entity.
    #[must_use]
    pub fn path_of(entity: &EntityPath) -> String {
        match entity {
            EntityPath::Defaults => "_defaults.yaml".to_owned(),
            EntityPath::Environment { .. } => format!("{entity}/config.yaml"),
            EntityPath::Tenant { .. } => format!("{entity}/tenant.yaml"),
            EntityPath::Api { .. } => format!("{entity}/api.yaml"),
            other => format!("{other}.yaml"),
        }
    }

    /// The path to which the writer puts an API's OpenAPI document.
    #[must_use]
    pub fn openapi_path(tenant: &TenantName, api: &ApiName, json: bool) -> String {
        let extension = if json { "json" } else { "yaml" };
        format!("tenants/{tenant}/apis/{api}/openapi.{extension}")
    }

    /// The folder under which everything of an API stands.
    #[must_use]
    pub fn api_folder(tenant: &TenantName, api: &ApiName) -> String {
        format!("tenants/{tenant}/apis/{api}/")
    }

    /// Whether a path may be written: relative, without tricks, and outside Git's own folder.
    #[must_use]
    pub fn is_safe(path: &str) -> bool {
        let plain = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && !part.eq_ignore_ascii_case(".git")
        };
        let printable = !path.chars().any(|c| c.is_control() || c == '\\');
        path.len() <= 1024 && printable && path.split('/').all(plain)
    }
}

/// The key of the entity whose document stands at a path, with the rank of that path.
fn entity_key(parts: &[&str]) -> Option<(String, u8)> {
    let (file, folders) = parts.split_last()?;
    let (stem, yaml) = match file.strip_suffix(".yaml") {
        Some(stem) => (stem, 0),
        None => (file.strip_suffix(".yml")?, 1),
    };
    let key = match (folders, stem) {
        ([], "_defaults") => ("defaults".to_owned(), yaml),
        (["environments", _], "config") | (["tenants", _], "tenant") | (["tenants", _, "apis", _], "api") => {
            (folders.join("/"), yaml)
        }
        (["tenants", _], "users")
        | (
            ["environments", _, "gateways"]
            | ["plans"]
            | ["tenants", _, "environments" | "applications"]
            | ["tenants", _, "apis", _, "deployments"]
            | ["requests", _, _, _],
            _,
        ) => (format!("{}/{stem}", folders.join("/")), yaml),
        // Where the original kept them.
        (["tenants", tenant, "iam"], "users") => (format!("tenants/{tenant}/users"), 2 + yaml),
        (["tenants", _, "applications", _], "app") => (folders.join("/"), 2 + yaml),
        _ => return None,
    };
    Some(key)
}

fn openapi(parts: &[&str]) -> Option<Result<Place, LayoutError>> {
    let ["tenants", tenant, "apis", api, file] = parts else { return None };
    let rank = match *file {
        "openapi.yaml" => 0,
        "openapi.json" => 1,
        "openapi.yml" => 2,
        _ => return None,
    };
    let slot = tenant
        .parse()
        .map_err(|error: domain::name::NameError| LayoutError::Name(error.to_string()))
        .and_then(|tenant| match api.parse::<ApiName>() {
            Ok(api) => Ok(Slot::OpenApi { tenant, api }),
            Err(error) => Err(LayoutError::Name(error.to_string())),
        });
    Some(slot.map(|slot| Place { slot, rank }))
}

/// A document under a folder that is read, but in no place: a typo that would otherwise be silent.
fn stray(parts: &[&str]) -> Option<Result<Place, LayoutError>> {
    let document = parts.last().is_some_and(|file| {
        [".yaml", ".yml"].iter().any(|extension| file.ends_with(extension)) && !file.starts_with('.')
    });
    let read = matches!(
        parts,
        ["environments" | "tenants", _, _]
            | ["environments", _, "gateway" | "gateways", ..]
            | ["plans" | "plan" | "requests" | "request", ..]
            | ["tenants", _, "apis", _, _]
            | ["tenants", _, "apis", _, "deployment" | "deployments", ..]
            | ["tenants", _, "application" | "applications" | "environment" | "environments", ..]
    );
    (document && read).then_some(Err(LayoutError::Stray))
}

/// Says which name in the key of an entity is wrong, and why.
fn wrong_name(key: &str) -> String {
    use domain::name::{ApplicationName, EnvironmentName, GatewayName, PlanName};

    fn check<N: std::str::FromStr<Err = domain::name::NameError>>(name: &str) -> Option<String> {
        name.parse::<N>().err().map(|error| error.to_string())
    }
    let parts: Vec<&str> = key.split('/').collect();
    let found = match parts.as_slice() {
        ["environments" | "requests", environment, rest @ ..] => check::<EnvironmentName>(environment)
            .or_else(|| rest.get(1).and_then(|gateway| check::<GatewayName>(gateway))),
        ["plans", plan] => check::<PlanName>(plan),
        ["tenants", tenant, rest @ ..] => check::<TenantName>(tenant).or_else(|| match rest {
            ["environments", environment] => check::<EnvironmentName>(environment),
            ["applications", application] => check::<ApplicationName>(application),
            ["apis", api, rest @ ..] => check::<ApiName>(api)
                .or_else(|| rest.get(1).and_then(|environment| check::<EnvironmentName>(environment))),
            _ => None,
        }),
        _ => None,
    };
    found.unwrap_or_else(|| format!("`{key}` is not where a document of that kind stands"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(path: &str) -> Option<Slot> {
        Layout::place(path).unwrap().map(|place| place.slot)
    }

    #[test]
    fn what_the_writer_puts_somewhere_is_found_there() {
        for key in [
            "defaults",
            "environments/dev",
            "environments/dev/gateways/builtin",
            "plans/gold",
            "tenants/acme",
            "tenants/acme/users",
            "tenants/acme/environments/dev",
            "tenants/acme/apis/pets",
            "tenants/acme/apis/pets/deployments/dev",
            "tenants/acme/applications/shop",
            "requests/prod/2026/01/pr-2026-0001",
        ] {
            let entity: EntityPath = key.parse().unwrap();
            assert_eq!(slot(&Layout::path_of(&entity)), Some(Slot::Entity(entity)), "{key}");
        }
    }

    #[test]
    fn the_originals_places_are_read_too_with_less_weight() {
        let users = Layout::place("tenants/acme/iam/users.yaml").unwrap().unwrap();
        assert_eq!(users.slot, Slot::Entity("tenants/acme/users".parse().unwrap()));
        assert!(users.rank > 0);
        assert!(slot("tenants/acme/applications/shop/app.yaml").is_some());
    }

    #[test]
    fn an_openapi_document_stands_beside_its_api() {
        let place = Slot::OpenApi { tenant: "acme".parse().unwrap(), api: "pets".parse().unwrap() };
        for file in ["yaml", "json", "yml"] {
            assert_eq!(slot(&format!("tenants/acme/apis/pets/openapi.{file}")), Some(place.clone()));
        }
    }

    #[test]
    fn other_files_are_nobodys_business() {
        for path in
            ["README.md", "ansible/site.yml", "generated/dev/acme/ns.yaml", "tenants/acme/apis/.gitkeep"]
        {
            assert_eq!(Layout::place(path), Ok(None), "{path}");
        }
    }

    #[test]
    fn a_bad_slug_and_a_stray_document_are_named() {
        let bad = Layout::place("tenants/Acme/tenant.yaml").unwrap_err().to_string();
        assert!(bad.starts_with("`Acme` is not a tenant name"), "{bad}");
        for path in ["tenants/acme/apis/pets/deployment/dev.yaml", "tenants/acme/tennant.yaml"] {
            assert_eq!(Layout::place(path), Err(LayoutError::Stray), "{path}");
        }
    }

    #[test]
    fn a_path_with_tricks_is_not_safe() {
        for path in ["../x", "/etc/passwd", "a//b", "a/./b", ".git/config", "a\\b", "a\n", ""] {
            assert!(!Layout::is_safe(path), "{path:?}");
        }
        assert!(Layout::is_safe("tenants/acme/tenant.yaml"));
    }
}
