//! What who listens is told of the station's health.

use futures_util::StreamExt as _;

use super::*;

#[tokio::test]
async fn who_listens_hears_of_what_only_the_disk_can_tell() {
    let limits = Limits { look_again: Duration::from_millis(20), ..Limits::default() };
    let site = Site::with(limits, Bounds::default());
    let request = site.request("auditor", "GET", "/api/v1/events").body(Body::empty()).unwrap();
    let mut events = site.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let mut next = async || {
        let event = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
        String::from_utf8(event.unwrap().unwrap().unwrap().to_vec()).unwrap()
    };
    assert!(next().await.starts_with("event: status"));
    let (file, aside) = (site.state.store.file(), site.dir.path().join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    // Looked at just between, it may say a part of it first.
    while !next().await.contains("database-gone") {}
    std::fs::rename(&aside, &file).unwrap();
    while next().await.trim() != "event: health\ndata: []" {}
}
