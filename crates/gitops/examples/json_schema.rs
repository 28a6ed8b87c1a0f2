//! Prints the JSON Schema of a kind of documents: `cargo run -p gitops --example json_schema -- API`.

use domain::entity::Kind;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let names = || Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == wanted);
    let kind = kind.ok_or_else(|| format!("`{wanted}` is no kind; there are {}", names()))?;
    println!("{}", serde_json::to_string_pretty(&gitops::document::schema(kind))?);
    Ok(())
}
