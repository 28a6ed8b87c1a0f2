use insta::assert_json_snapshot;

use crate::app::App;

#[tokio::test]
async fn readiness_names_the_gates_that_are_closed() {
    let app = App::start();
    app.gate.close("behind by 7 records");
    let answer = app.get("/health/ready", "").await;
    assert_eq!(answer.status, 503);
    assert_json_snapshot!(answer.json(), @r#"
    {
      "status": "not-ready",
      "gates": {
        "catalogue": "behind by 7 records"
      }
    }
    "#);
    app.gate.open();
    let answer = app.get("/health/ready", "").await;
    assert_eq!(answer.status, 200);
    assert_json_snapshot!(answer.json(), @r#"
    {
      "status": "ready",
      "gates": {
        "catalogue": null
      }
    }
    "#);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_address() {
    let app = App::start();
    for name in ["acme", "other", "third"] {
        app.get(&format!("/v1/tenants/{name}/apis"), "").await;
        app.get(&format!("/unknown/{name}"), "").await;
    }
    let text = app.get("/metrics", "").await.text;
    let counted: Vec<_> = text.lines().filter(|line| line.starts_with("stoa_http_requests_total")).collect();
    let expected = |route: &str, status| {
        format!(
            "stoa_http_requests_total{{service=\"control-plane-api\",method=\"GET\",route=\"{route}\",status=\"{status}\"}} 3"
        )
    };
    assert_eq!(counted.len(), 2, "{counted:?}");
    assert!(counted.contains(&expected("/v1/tenants/{tenant}/apis", 401).as_str()), "{counted:?}");
    assert!(counted.contains(&expected("unmatched", 404).as_str()), "{counted:?}");
    assert!(text.contains("stoa_http_request_duration_seconds_bucket{"), "{text}");
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    let app = App::start();
    let problem = app.get("/nowhere", "").await.json();
    let page = app.get(problem["type"].as_str().unwrap(), "").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/markdown; charset=utf-8"));
    assert!(page.text.starts_with("# Nothing is here\n"));
    assert_eq!(app.get("/errors/unheard-of", "").await.status, 404);
}
