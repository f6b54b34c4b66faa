//! The document, held against the router.

use super::*;

/// Every path and method of the document.
pub(super) fn addresses() -> BTreeSet<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase());
        methods.map(|method| (path.clone(), method)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

#[tokio::test]
async fn the_document_is_served_and_every_address_in_it_is_there() {
    let site = Site::new();
    let served = site.get("", "/api/v1/openapi.json").await;
    assert!(served.json()["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(
        served.json()["paths"].as_object().unwrap().len(),
        addresses().iter().map(|(path, _)| path).collect::<BTreeSet<_>>().len()
    );
    for (path, method) in addresses() {
        let answer = site.call("", &method, &path.replace(['{', '}'], ""), json!({})).await;
        let code = answer.status.as_u16();
        assert!(!matches!(code, 404 | 405), "{method} {path}: {code}");
    }
}

#[tokio::test]
async fn an_address_has_no_method_that_the_document_lacks() {
    let site = Site::new();
    let addresses = addresses();
    for (path, _) in &addresses {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = site.call("", method, &path.replace(['{', '}'], ""), json!({})).await;
            let known = addresses.contains(&(path.clone(), method.to_owned()));
            assert_eq!(answer.status == StatusCode::METHOD_NOT_ALLOWED, !known, "{method} {path}");
            if !known {
                assert_eq!(answer.problem(), refused(405, "wrong-method"));
            }
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut references = Vec::new();
    walk(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

/// The document, as it is served.
fn document() -> Value {
    serde_json::to_value(api::router().into_openapi()).unwrap()
}

#[test]
fn every_address_says_how_it_refuses_and_fails() {
    let document = document();
    for (path, method) in addresses() {
        let said = &document["paths"][&path][method.to_lowercase()]["responses"];
        for status in ["4XX", "5XX"] {
            let body = &said[status]["content"]["application/problem+json"]["schema"]["$ref"];
            // What answers HEAD has no body.
            let expected =
                if method == "HEAD" { Value::Null } else { json!("#/components/schemas/ProblemBody") };
            assert!(said[status].is_object() && *body == expected, "{method} {path}: {said}");
        }
    }
}

#[tokio::test]
async fn what_comes_with_the_log_and_with_uploads_is_in_the_document() {
    let document = document();
    let walk = log::site_with(&["một"]).get("auditor", "/api/v1/airings/verify").await.json();
    let fields: BTreeSet<_> = walk.as_object().unwrap().keys().collect();
    let known = document["components"]["schemas"]["Walk"]["properties"].as_object().unwrap();
    assert_eq!(fields, known.keys().collect());
    let headers = |path: &str, method: &str| {
        let answer = &document["paths"][format!("/api/v1{path}")][method]["responses"]["200"];
        answer["headers"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(headers("/airings", "get"), ["Link"]);
    let of_upload = ["Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset"];
    assert_eq!(headers("/uploads/{id}", "head"), of_upload);
}

#[tokio::test]
async fn nonsense_is_answered_with_problems() {
    let site = Site::new();
    let page = site.get("admin", "/nothing").await;
    assert_eq!(
        (page.status, page.header(header::CONTENT_TYPE)),
        (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
    );
    for path in [
        "/api/v1",
        "/api/v1/nothing",
        "/api/v1/segments/",
        "/api/v1/segments/a/b/c",
        "/api/v1/../../etc/passwd",
    ] {
        assert_eq!(site.get("admin", path).await.problem(), refused(404, "no-such-address"), "{path}");
    }
    let stop = "/api/v1/users";
    let cases: [(&str, Body, u16, &str); 4] = [
        ("application/json", Body::from("{"), 400, "malformed"),
        ("application/json", Body::from("[]"), 400, "malformed"),
        ("text/plain", Body::from("{}"), 415, "wrong-type"),
        ("application/json", Body::from("9".repeat(70_000)), 413, "too-large"),
    ];
    for (kind, body, status, code) in cases {
        let request = site.request("admin", "POST", stop).header(header::CONTENT_TYPE, kind);
        assert_eq!(site.send(request.body(body).unwrap()).await.problem(), refused(status, code), "{kind}");
    }
    for path in ["/api/v1/timeline?days=x", "/api/v1/segments?limit=-1", "/api/v1/airings?colour=red"] {
        assert_eq!(site.get("admin", path).await.problem(), refused(400, "malformed"), "{path}");
    }
    let answer = site.get("", "/api/v1/health").await;
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert!(answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
}
