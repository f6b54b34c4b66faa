//! Two people at the same recording at the same time.

use super::air_pages::{Tab, hidden};
use super::*;
use crate::segment::Words;
use crate::web::recordings::set_word;

/// A recording that waits for approval: its address for programs, and its id.
async fn waiting(site: &Site) -> (String, String) {
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/segments/{id}");
    site.call("uploader", "POST", &format!("{path}/submit"), json!({})).await;
    (path, id)
}

/// Has the disk hang until both have read what they could, if they read anything before they write.
async fn at_once<A, B>(
    site: &Site,
    path: &str,
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let free = hang(site);
    let then = async {
        for _ in 0..20 {
            site.get("auditor", path).await;
        }
        free.send(()).unwrap();
    };
    let (one, other, ()) = tokio::join!(one, other, then);
    (one, other)
}

#[tokio::test]
async fn two_who_change_different_words_at_once_both_have_them_changed() {
    let site = Site::new();
    let (path, _) = waiting(&site).await;
    let set = |body: Value| site.call("uploader", "PATCH", &path, body);
    let (one, other) =
        at_once(&site, &path, set(json!({"title": "Bản tin"})), set(json!({"author": "Lan"}))).await;
    assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK));
    let now = site.get("auditor", &path).await.json();
    assert_eq!((&now["title"], &now["author"]), (&json!("Bản tin"), &json!("Lan")));
}

#[tokio::test]
async fn words_that_change_while_they_are_approved_are_not_approved_unseen() {
    let site = Site::new();
    let (path, _) = waiting(&site).await;
    let shown = site.get("approver", &path).await.json();
    let (to_approve, approval) =
        (format!("{path}/approve"), json!({"hash": shown["hash"], "seen": shown["seen"]}));
    let approve = site.call("approver", "POST", &to_approve, approval);
    let change = site.call("uploader", "PATCH", &path, json!({"programme": "cam-tay-chi-viec"}));
    let (approved, changed) = at_once(&site, &path, approve, change).await;
    // Whoever came first; the other is told.
    if approved.status == StatusCode::OK {
        assert_eq!(changed.problem(), refused(403, "approved-words"));
    } else {
        assert_eq!(approved.problem(), refused(409, "other-words"));
        assert_eq!(changed.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_form_that_somebody_else_overtook_is_shown_with_what_it_would_change_and_kept_then() {
    let site = Site::new();
    let (path, id) = waiting(&site).await;
    let page = format!("/ban-ghi/{id}");
    let tabs = [Tab::of(&site, "uploader"), Tab::of(&site, "operator")];
    let shown = [tabs[0].get(&page).await.text(), tabs[1].get(&page).await.text()];
    let form = |shown: &str, title: &str, author: &str| {
        [
            ("seen", hidden(shown, "seen").to_owned()),
            ("title", title.to_owned()),
            ("author", author.to_owned()),
        ]
    };
    let post = async |tab: &Tab<'_>, form: &[(&str, String); 3]| {
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        tab.post(&page, &form).await
    };
    // Pressed twice, the same is kept once.
    let first = form(&shown[0], "Bản tin", "");
    for _ in 0..2 {
        assert_eq!(post(&tabs[0], &first).await.status, StatusCode::SEE_OTHER);
    }
    let second = form(&shown[1], "bài", "Lan & Hoa");
    let answer = post(&tabs[1], &second).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let again = answer.text();
    for part in ["thông tin khác của bản ghi này đã được lưu", "“Bản tin” → “bài”", "value=\"Lan &amp; Hoa\""]
    {
        assert!(again.contains(part), "no {part} in {again}");
    }
    // What is wrong otherwise does not make it forget what it was shown.
    let wrong = post(&tabs[1], &form(&shown[1], "", "Lan")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(hidden(&wrong.text(), "seen"), hidden(&shown[1], "seen"));
    assert_eq!(site.get("auditor", &path).await.json()["title"], "Bản tin");
    assert_eq!(post(&tabs[1], &form(&again, "bài", "Lan & Hoa")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get("auditor", &path).await.json()["author"], "Lan & Hoa");
}

#[tokio::test]
async fn a_wrong_reason_empties_no_words() {
    let site = Site::new();
    let (_, id) = waiting(&site).await;
    let page =
        Tab::of(&site, "approver").post(&format!("/ban-ghi/{id}/tra-lai"), &[("reason", "")]).await.text();
    assert!(page.contains("name=\"title\" value=\"bài\""), "{page}");
}

#[tokio::test]
async fn the_interface_changes_only_the_words_that_were_seen_where_it_is_told_which() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    let seen = async || site.get("operator", &path).await.json()["seen"].clone();
    let change = async |words: Value| site.call("operator", "PATCH", &path, words).await;
    let before = seen().await;
    site.call("uploader", "PATCH", &path, json!({"author": "Lan"})).await;
    for old in [&before, &json!("never")] {
        let overtaken = change(json!({"seen": old, "title": "Khác"})).await;
        assert_eq!(overtaken.problem(), refused(409, "other-words"));
    }
    let now = site.get("operator", &path).await.json();
    assert_eq!((&now["title"], &now["author"]), (&json!("bài"), &json!("Lan")));
    assert_eq!(change(json!({"seen": before, "author": "Lan"})).await.status, StatusCode::OK, "it is so");
    let done = change(json!({"seen": seen().await, "title": "Khác", "author": null})).await.json();
    assert_eq!(
        (&done["title"], &done["author"], &done["seen"]),
        (&json!("Khác"), &json!(null), &seen().await)
    );
    assert_eq!(change(json!({"seen": null, "title": "bài"})).await.json()["title"], "bài");
    assert_eq!(change(json!({"colour": "red"})).await.problem(), refused(422, "bad-field"));
}

#[test]
fn every_word_has_its_name_in_the_list_and_can_be_set_by_it() {
    let site = Site::new();
    let words = serde_json::to_value(Words::default()).unwrap();
    let names: BTreeSet<_> = words.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, Words::FIELDS.into());
    for field in Words::FIELDS {
        assert_eq!(set_word(&site.state, &mut Words::default(), field, ""), Ok(()), "{field}");
    }
}
