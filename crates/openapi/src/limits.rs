//! How much of a document is read and how much is made of it.

/// Bounds that keep a hostile document from costing more than its size deserves.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Greatest size as written, in bytes.
    pub bytes: usize,
    /// Greatest nesting of objects and arrays.
    pub depth: usize,
    /// Greatest number of values, YAML aliases expanded.
    pub nodes: usize,
    /// Greatest sum of all texts in bytes, YAML aliases expanded.
    pub text_bytes: usize,
    /// Greatest number of operations.
    pub operations: usize,
    /// Greatest size of one tool's input schema; what lies deeper accepts any value.
    pub input_schema_bytes: usize,
    /// Greatest size of one tool's output schema; a larger one is left out.
    pub output_schema_bytes: usize,
    /// Greatest size of all schemas of a document's tools together.
    pub compiled_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            depth: 100,
            nodes: 2_000_000,
            text_bytes: 64 << 20,
            operations: 10_000,
            input_schema_bytes: 64 << 10,
            output_schema_bytes: 32 << 10,
            compiled_bytes: 64 << 20,
        }
    }
}
