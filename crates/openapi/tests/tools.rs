//! Documents to tools to requests, as a caller sees them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use openapi::{ArgumentError, Block, Document, Limits, Tool};
use serde_json::{Map, Value, json};
use url::Url;

fn tools(text: &str) -> Vec<Tool> {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap().tools()
}

fn arguments(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

const PETS: &str = r"
openapi: 3.1.0
info: {title: Pets, version: '1'}
security: [{login: [pets:read]}]
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, description: Which pet, schema: {type: string}}
    get:
      operationId: get pet
      summary: One pet
      parameters:
        - {name: id, in: query, schema: {type: integer}}
        - {name: Authorization, in: header, schema: {type: string}}
        - {name: X-Key, in: header, schema: {type: string}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: 'filter[name]', in: query, schema: {type: array, items: {type: string}}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
    put:
      security: [{login: [pets:write]}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
      responses: {'204': {description: done}}
  /pets:
    get:
      operationId: list
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
components:
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties:
        id: {type: string, readOnly: true}
        name: {type: string, minLength: 1}
        friends: {type: array, items: {$ref: '#/components/schemas/Pet'}}
  securitySchemes:
    login: {type: oauth2, flows: {}}
    key: {type: apiKey, in: header, name: X-Key}
";

#[test]
fn an_operation_becomes_a_tool_with_one_flat_object_of_arguments() {
    let tools = tools(PETS);
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["get_pet", "put_pets_by_id", "list"]);
    assert_eq!(
        tools[0].input_schema,
        json!({
            "type": "object",
            "properties": {
                "id__path": {"type": "string", "description": "Which pet"},
                "id__query": {"type": "integer"},
                "X-Trace": {"type": "string"},
                "filter_name": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["id__path"],
            "additionalProperties": false,
        })
    );
    assert_eq!(
        (tools[0].title.as_str(), tools[0].scopes.as_slice()),
        ("One pet", &["pets:read".to_owned()][..])
    );
    assert_eq!(tools[1].scopes, ["pets:write"]);
    assert!(tools[1].annotations.idempotent && !tools[1].annotations.read_only);
}

#[test]
fn a_body_that_is_an_object_lies_flat_beside_the_parameters_and_keeps_its_cycle() {
    let tools = tools(PETS);
    let name = json!({"type": "string", "minLength": 1});
    let friends = json!({"type": "array", "items": {"$ref": "#/$defs/Pet"}});
    assert_eq!(
        tools[1].input_schema,
        json!({
            "type": "object",
            "properties": {
                "id": {"type": "string", "description": "Which pet"}, "name": name, "friends": friends,
            },
            "required": ["id", "name"],
            "additionalProperties": false,
            "$defs": {"Pet": {
                "type": "object", "required": ["name"], "properties": {"name": name, "friends": friends},
            }},
        })
    );
}

#[test]
fn arguments_become_a_request() {
    let tools = tools(PETS);
    let call = json!({"id__path": "a b/ü", "id__query": 7, "X-Trace": "t", "filter_name": ["x&y", "z"]});
    let request = tools[0].request(&arguments(&call)).unwrap();
    let url = request.url(&Url::parse("https://pets.example/v1/").unwrap()).unwrap();
    assert_eq!(
        url.as_str(),
        "https://pets.example/v1/pets/a%20b%2F%C3%BC?id=7&filter%5Bname%5D=x%26y&filter%5Bname%5D=z"
    );
    let headers = [("X-Trace", "t"), ("Accept", "application/json")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let call = json!({"id": "1", "name": "Rex", "friends": []});
    let body = tools[1].request(&arguments(&call)).unwrap().body.unwrap();
    assert_eq!(body.content_type, "application/json");
    assert_eq!(body.bytes, br#"{"name":"Rex","friends":[]}"#);
}

#[test]
fn no_argument_leads_out_of_the_template() {
    let tools = tools(PETS);
    for value in [".", "..", "../x", "a/../../b", "..\\x", "%2e%2e", "x\u{0}", "x\r\ny"] {
        let error = tools[0].request(&arguments(&json!({"id__path": value}))).unwrap_err();
        assert!(matches!(&error, ArgumentError::Unfit { argument, .. } if argument == "id__path"), "{value}");
    }
    for value in [json!(""), json!(null), json!([])] {
        assert!(tools[0].request(&arguments(&json!({"id__path": value}))).is_err(), "{value}");
    }
    let header = tools[0].request(&arguments(&json!({"id__path": "1", "X-Trace": "a\r\nHost: b"})));
    assert_eq!(header.unwrap_err().to_string(), "the argument `X-Trace` must not hold control characters");
    let missing = tools[0].request(&Map::new()).unwrap_err();
    assert_eq!(missing, ArgumentError::Missing { argument: "id__path".into() });
}

#[test]
fn arguments_are_checked_and_a_null_counts_as_left_out() {
    let tools = tools(PETS);
    assert_eq!(tools[0].violations(&arguments(&json!({"id__path": "1", "id__query": null}))), []);
    let found = tools[0].violations(&arguments(&json!({"id__query": "x", "other": 1})));
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "the arguments: `id__path` is missing",
            "/id__query: must be integer, not a text",
            "/other: is not known here; accepted: id__path, id__query, X-Trace, filter_name",
        ]
    );
}

#[test]
fn outputs_are_described_relaxed_and_wrapped_where_only_objects_are_accepted() {
    let tools = tools(PETS);
    let pet = json!({
        "type": ["object", "null"],
        "properties": {
            "id": {"type": ["string", "null"], "readOnly": true},
            "name": {"type": ["string", "null"]},
            "friends": {"type": ["array", "null"], "items": {"$ref": "#/$defs/Pet"}},
        },
    });
    assert_eq!(
        tools[2].output_schema,
        Some(json!({"type": ["array", "null"], "items": {"$ref": "#/$defs/Pet"}, "$defs": {"Pet": pet}}))
    );
    assert_eq!(
        tools[2].wrapped_output_schema(),
        Some(json!({
            "type": "object",
            "properties": {"result": {"type": ["array", "null"], "items": {"$ref": "#/$defs/Pet"}}},
            "required": ["result"],
            "$defs": {"Pet": pet},
        }))
    );
    assert_eq!(tools[0].output_schema.as_ref().unwrap()["type"], "object");
    assert_eq!(tools[1].output_schema, None);
    assert_eq!(tools[0].answer(204, None, b"").structured, Some(json!({})));
    let odd = tools[0].answer(200, Some("application/json"), b"[1]");
    assert_eq!((odd.structured, odd.blocks), (Some(json!({})), vec![Block::Text("[1]".into())]));
    let failed = tools[0].answer(500, Some("text/plain"), b"broken");
    assert_eq!((failed.is_error, failed.blocks), (true, vec![Block::Text("HTTP 500: broken".into())]));
}

#[test]
fn older_documents_become_tools_too() {
    let tools = tools(
        r"
swagger: '2.0'
info: {title: Old, version: '1'}
consumes: [application/json]
paths:
  /files:
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters:
        - {name: note, in: formData, type: string}
        - {name: file, in: formData, type: file, required: true}
      responses: {200: {description: ok}}
    get:
      operationId: search
      parameters:
        - {name: ids, in: query, type: array, items: {type: integer}, collectionFormat: pipes}
        - {name: body, in: query, type: string, maxLength: 3}
      responses: {200: {description: ok, schema: {type: file}}}
  /things:
    post:
      operationId: make
      parameters: [{name: thing, in: body, required: true, schema: {type: array, items: {type: string}}}]
      responses: {200: {description: ok, schema: {type: object}}}
",
    );
    assert_eq!(
        tools[0].input_schema["properties"],
        json!({"note": {"type": "string"}, "file": {"type": "string", "contentEncoding": "base64"}})
    );
    let body = tools[0].request(&arguments(&json!({"file": "AQI="}))).unwrap().body.unwrap();
    assert!(body.content_type.starts_with("multipart/form-data; boundary="));
    let request = tools[1].request(&arguments(&json!({"ids": [1, 2], "body": "x"}))).unwrap();
    assert_eq!(request.query.as_deref(), Some("ids=1%7C2&body=x"));
    assert_eq!(tools[1].output_schema, None);
    let body = tools[2].request(&arguments(&json!({"body": ["a"]}))).unwrap().body.unwrap();
    assert_eq!(body.bytes, br#"["a"]"#);
}

#[test]
fn a_reference_cycle_of_ten_thousand_components_compiles() {
    let mut text = "openapi: 3.0.3\ninfo: {title: Deep, version: '1'}\npaths:\n".to_owned();
    for index in 0..20 {
        let _ = writeln!(
            text,
            "  /p{index}: {{post: {{requestBody: {{content: {{application/json: {{schema: {{$ref: \
             '#/components/schemas/S{index}'}}}}}}}}, responses: {{200: {{description: ok, content: \
             {{application/json: {{schema: {{$ref: '#/components/schemas/S0'}}}}}}}}}}}}}}"
        );
    }
    text += "components:\n  schemas:\n";
    for index in 0..10_000 {
        let next = (index + 1) % 10_000;
        let _ = writeln!(
            text,
            "    S{index}: {{type: object, properties: {{next: {{$ref: '#/components/schemas/S{next}'}}}}}}"
        );
    }
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(document.problems(), []);
    let tools = document.tools();
    assert_eq!(tools.len(), 20);
    assert!(tools[0].input_schema.to_string().len() < 80 << 10);
    assert_eq!(tools[0].output_schema, None);
    assert_eq!(tools[0].violations(&arguments(&json!({"next": {"next": {"next": {}}}}))), []);
    assert_eq!(tools[0].violations(&arguments(&json!({"next": {"next": 1}}))).len(), 1);
}

#[test]
fn a_chain_of_ten_thousand_bare_references_is_a_problem_and_not_a_crash() {
    let mut text = "openapi: 3.1.0\ninfo: {title: Chain, version: '1'}\npaths:\n  /p:\n    parameters: [{$ref: \
                    '#/components/parameters/P0'}]\n    get: {responses: {200: {$ref: '#/components/responses/R'}}}\n\
                    components:\n  responses: {R: {$ref: '#/components/responses/R'}}\n  parameters:\n"
        .to_owned();
    for index in 0..10_000 {
        let next = (index + 1) % 10_000;
        let _ = writeln!(text, "    P{index}: {{$ref: '#/components/parameters/P{next}'}}");
    }
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let tools = document.tools();
    assert_eq!(tools[0].input_schema["properties"], json!({}));
    let mut schemas = "openapi: 3.1.0\ninfo: {title: Chain, version: '1'}\npaths: {/p: {post: {requestBody: {content: \
                       {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}}\ncomponents:\n  schemas:\n"
        .to_owned();
    for index in 0..10_000 {
        let _ = writeln!(schemas, "    S{index}: {{$ref: '#/components/schemas/S{}'}}", (index + 1) % 10_000);
    }
    let tools = Document::parse(schemas.as_bytes(), &Limits::default()).unwrap().tools();
    assert_eq!(tools[0].violations(&arguments(&json!({"body": 1}))), []);
}
