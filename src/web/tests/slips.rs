//! What a hand does that its head did not mean, and what the pages make of it.

use super::air_pages::Tab;
use super::*;

/// A recording that waits for approval; its id.
async fn waiting(site: &Site, pitch: f32) -> String {
    let id = site.recording(pitch).await["id"].as_str().unwrap().to_owned();
    site.call("uploader", "POST", &format!("/api/v1/segments/{id}/submit"), json!({})).await;
    id
}

/// Where each of some texts stands in a page, one after the other.
#[track_caller]
fn in_this_order(page: &str, texts: &[&str]) {
    let mut from = 0;
    for text in texts {
        let rest = page.get(from..).unwrap();
        from += rest.find(text).unwrap_or_else(|| panic!("no {text} after the others in {page}")) + text.len();
    }
}

#[tokio::test]
async fn the_second_half_of_a_double_click_approves_nothing() {
    let site = Site::new();
    let (first, _second) = (waiting(&site, 440.0).await, waiting(&site, 550.0).await);
    let tab = Tab::of(&site, "approver");
    let queue = tab.get("/duyet").await.text();
    assert!(queue.contains("<ol class=\"queue\">"), "who comes by the menu has pressed nothing yet: {queue}");
    let hash = site.get("approver", &format!("/api/v1/segments/{first}")).await.json()["hash"].clone();
    let fields = [("hash", hash.as_str().unwrap()), ("ve", "/duyet")];
    let approved = tab.post(&format!("/ban-ghi/{first}/duyet"), &fields).await;
    let next = tab.get(approved.header(header::LOCATION)).await.text();
    assert!(next.contains("Đã duyệt") && next.contains("<ol class=\"queue second-press\">"), "{next}");
}

#[tokio::test]
async fn the_enter_key_in_a_drafts_form_keeps_its_words_and_asks_for_nothing() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let page = Tab::of(&site, "uploader").get(&format!("/ban-ghi/{id}")).await.text();
    // A browser presses the first button of a form.
    let form = page.split_once("name=\"title\"").unwrap().1;
    in_this_order(form, &["<button>Lưu thông tin</button>", "name=\"then\" value=\"submit\""]);
}

#[tokio::test]
async fn what_is_done_with_a_recording_is_said_with_its_title_to_who_hears_the_page() {
    let site = Site::new();
    waiting(&site, 440.0).await;
    let queue = Tab::of(&site, "approver").get("/duyet").await.text();
    for label in ["Duyệt cho phát “bài”", "Trả lại “bài”", "Trả lại cho người nộp: “bài”", "Thu hồi “bài”"] {
        assert!(queue.contains(&format!("aria-label=\"{label}\"")), "no {label} in {queue}");
    }
}

#[tokio::test]
async fn a_field_is_called_by_its_label_where_it_is_said_to_be_wrong() {
    let site = Site::new();
    let id = waiting(&site, 440.0).await;
    let page =
        Tab::of(&site, "approver").post(&format!("/ban-ghi/{id}/tra-lai"), &[("reason", "")]).await.text();
    assert!(page.contains("“Cần sửa gì?”: ") && !page.contains("“Lý do”"), "{page}");
}
