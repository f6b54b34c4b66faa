//! Who may do what, for every address.

use super::*;

/// Every address with what it needs; none for those that ask for no token.
const DOORS: [(&str, &str, Option<&str>); 35] = [
    ("GET", "/api/v1/segments", Some("uploader approver operator auditor admin")),
    ("POST", "/api/v1/segments", Some("uploader approver operator")),
    ("GET", "/api/v1/segments/{id}", Some("uploader approver operator auditor admin")),
    ("PATCH", "/api/v1/segments/{id}", Some("uploader approver operator")),
    ("GET", "/api/v1/segments/{id}/audio", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/segments/{id}/levelled", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/segments/{id}/waveform", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/segments/{id}/events", Some("uploader approver operator auditor admin")),
    ("POST", "/api/v1/segments/{id}/submit", Some("uploader approver operator")),
    ("POST", "/api/v1/segments/{id}/approve", Some("approver")),
    ("POST", "/api/v1/segments/{id}/return", Some("approver")),
    ("POST", "/api/v1/segments/{id}/withdraw", Some("approver operator")),
    ("OPTIONS", "/api/v1/uploads", Some("uploader approver operator")),
    ("POST", "/api/v1/uploads", Some("uploader approver operator")),
    ("GET", "/api/v1/uploads/{id}", Some("uploader approver operator")),
    ("HEAD", "/api/v1/uploads/{id}", Some("uploader approver operator")),
    ("PATCH", "/api/v1/uploads/{id}", Some("uploader approver operator")),
    ("DELETE", "/api/v1/uploads/{id}", Some("uploader approver operator")),
    ("GET", "/api/v1/timeline", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/status", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/events", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/airings", Some("approver operator auditor admin")),
    ("GET", "/api/v1/airings/verify", Some("approver operator auditor admin")),
    ("POST", "/api/v1/interrupts", Some("approver operator")),
    ("DELETE", "/api/v1/interrupts/{id}", Some("approver operator")),
    ("POST", "/api/v1/outputs/{id}/stop", Some("operator")),
    ("POST", "/api/v1/clock/confirm", Some("operator admin")),
    ("GET", "/api/v1/users", Some("admin")),
    ("POST", "/api/v1/users", Some("admin")),
    ("DELETE", "/api/v1/users/{name}", Some("admin")),
    ("POST", "/api/v1/users/{name}/tokens", Some("admin")),
    ("GET", "/api/v1/acts", Some("auditor admin")),
    ("GET", "/metrics", Some("uploader approver operator auditor admin")),
    ("GET", "/api/v1/health", None),
    ("GET", "/api/v1/openapi.json", None),
];

/// What a door is told so that it opens to those who may.
fn told(path: &str) -> Value {
    match path {
        "/api/v1/interrupts" => json!({"segment": "0", "layer": "emergency"}),
        "/api/v1/segments/{id}/approve" => json!({"hash": "0".repeat(64)}),
        "/api/v1/segments/{id}/return" | "/api/v1/segments/{id}/withdraw" => json!({"reason": "sai"}),
        "/api/v1/users" => json!({"name": "", "roles": ["uploader"]}),
        _ => json!({}),
    }
}

#[tokio::test]
async fn every_door_opens_to_its_roles_and_to_nobody_else() {
    // No engine runs: events end after the first.
    let site = Site { status: None, ..Site::new() };
    for (method, path, allowed) in DOORS {
        let address = path.replace("{id}", "0").replace("{name}", "nobody");
        for role in Role::ALL.map(Role::code) {
            let answer = site.call(role, method, &address, told(path)).await;
            let may = allowed.is_none_or(|allowed| allowed.split(' ').any(|allowed| allowed == role));
            assert_eq!(
                answer.status != StatusCode::FORBIDDEN,
                may,
                "{role} {method} {path}: {}",
                answer.text()
            );
            // An answer to HEAD has no body.
            if !may && method != "HEAD" {
                assert_eq!(answer.problem().1, "not-permitted");
                assert!(answer.json()["permission"].is_string());
            }
        }
        let stranger = site.call("", method, &address, told(path)).await;
        assert_eq!(stranger.status == StatusCode::UNAUTHORIZED, allowed.is_some(), "{method} {path}");
        if allowed.is_some() && method != "HEAD" {
            assert_eq!(stranger.problem(), refused(401, "no-token"));
            assert!(stranger.header(header::WWW_AUTHENTICATE).starts_with("Bearer"));
        }
    }
}

#[test]
fn the_table_of_doors_has_every_address() {
    let listed: BTreeSet<_> =
        DOORS.iter().map(|(method, path, _)| ((*path).to_owned(), (*method).to_owned())).collect();
    assert_eq!(listed, document::addresses());
}

#[tokio::test]
async fn a_token_that_is_none_or_was_revoked_opens_nothing() {
    let site = Site::new();
    let ask = async |value: &str| {
        let request = Request::get("/api/v1/status").header(header::AUTHORIZATION, value);
        site.send(request.body(Body::empty()).unwrap()).await
    };
    let good = &site.tokens["admin"];
    assert_eq!(ask(&format!("bearer {good}")).await.status, StatusCode::OK);
    for (value, code) in [
        (format!("Bearer {good}0"), "wrong-token"),
        ("Bearer loa_".to_owned(), "wrong-token"),
        (format!("Bearer {}", "0".repeat(5_000)), "no-token"),
        (format!("Basic {good}"), "no-token"),
        (good.clone(), "no-token"),
        ("Bearer ".to_owned(), "no-token"),
    ] {
        assert_eq!(ask(&value).await.problem(), refused(401, code), "{value}");
    }
    site.call("admin", "DELETE", "/api/v1/users/auditor", json!({})).await;
    assert_eq!(site.get("auditor", "/api/v1/status").await.problem(), refused(401, "wrong-token"));
}

#[tokio::test]
async fn people_are_added_given_tokens_and_let_go() {
    let mut site = Site::new();
    let added = site
        .call("admin", "POST", "/api/v1/users", json!({"name": "hoa", "roles": ["uploader", "auditor"]}))
        .await;
    assert_eq!(added.status, StatusCode::CREATED);
    assert_eq!(added.json()["user"]["roles"], json!(["uploader", "auditor"]));
    site.tokens.insert("hoa".to_owned(), added.json()["token"].as_str().unwrap().to_owned());
    assert_eq!(site.get("hoa", "/api/v1/acts").await.status, StatusCode::OK);

    for (body, status, code) in [
        (json!({"name": "hoa", "roles": ["uploader"]}), 409, "user-exists"),
        (json!({"name": "../x", "roles": ["uploader"]}), 422, "bad-user-name"),
        (json!({"name": "mai", "roles": []}), 422, "no-role"),
        (json!({"name": "mai", "roles": ["root"]}), 422, "bad-field"),
        (json!({"name": "mai"}), 400, "malformed"),
        (json!({"name": "mai", "roles": ["uploader"], "admin": true}), 400, "malformed"),
    ] {
        assert_eq!(
            site.call("admin", "POST", "/api/v1/users", body.clone()).await.problem(),
            refused(status, code),
            "{body}"
        );
    }
    let token = site.call("admin", "POST", "/api/v1/users/hoa/tokens", json!({"label": "phone"})).await;
    assert_eq!(token.status, StatusCode::CREATED);
    assert_ne!(token.json()["token"], added.json()["token"]);
    assert_eq!(
        site.call("admin", "DELETE", "/api/v1/users/hoa", json!({})).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        site.call("admin", "DELETE", "/api/v1/users/hoa", json!({})).await.problem(),
        refused(404, "no-such-user")
    );
    assert_eq!(
        site.call("admin", "DELETE", "/api/v1/users/admin", json!({})).await.problem(),
        refused(409, "last-admin")
    );
    let people = site.get("admin", "/api/v1/users").await.json();
    let hoa = people.as_array().unwrap().iter().find(|user| user["name"] == "hoa").unwrap();
    assert!(hoa["revoked"].is_string());
    let acts: Vec<_> =
        site.acts().into_iter().map(|(_, what, subject)| format!("{what} {subject}")).collect();
    assert_eq!(acts, ["user.add hoa", "user.token hoa", "user.revoke hoa"]);
    let seen = site.get("auditor", "/api/v1/acts?limit=1").await.json();
    assert_eq!((&seen[0]["what"], &seen[0]["by"]), (&json!("user.revoke"), &json!("admin")));
}
