//! Variables of environments.

use serde::{Deserialize, Serialize};

/// A variable of an environment with the file that gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value; a secret stands as a `vault:` reference.
    pub value: String,
    /// The file that the value comes from.
    pub source: String,
}
