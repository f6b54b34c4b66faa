//! Dates in the words of the station, not in those of the browser.

use super::air_pages::Tab;
use super::*;

#[tokio::test]
async fn a_field_for_a_date_says_it_in_words_whatever_the_browsers_language() {
    let site = Site::new();
    let id = site.recording(440.0).await["id"].as_str().unwrap().to_owned();
    let words = json!({"valid_from": "2026-12-01", "valid_until": null});
    site.call("uploader", "PATCH", &format!("/api/v1/segments/{id}"), words).await;
    let page = Tab::of(&site, "uploader").get(&format!("/ban-ghi/{id}")).await.text();
    let beside = |name: &str| {
        let (_, after) = page.split_once(&format!("name=\"{name}\"")).unwrap();
        after.split_once("</label>").unwrap().0.contains("Lúc mở trang: thứ Ba 01/12/2026")
    };
    assert_eq!([beside("valid_from"), beside("valid_until")], [true, false], "{page}");
    let log = Tab::of(&site, "auditor").get("/nhat-ky").await.text();
    for said in ["Lúc mở trang: Chủ nhật 01/11/2026", "Lúc mở trang: thứ Hai 23/11/2026"] {
        assert!(log.contains(said), "{log}");
    }
}
