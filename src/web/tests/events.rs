//! What who listens is told of the station's health.

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;

use super::*;

/// A site that looks at itself often, and what one hears who listens there, after the first status.
async fn listened_to() -> (Site, BodyDataStream) {
    let limits = Limits { look_again: Duration::from_millis(20), ..Limits::default() };
    let site = Site::with(limits, Bounds::default());
    let request = site.request("auditor", "GET", "/api/v1/events").body(Body::empty()).unwrap();
    let mut events = site.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    assert!(next(&mut events).await.starts_with("event: status"));
    (site, events)
}

async fn next(events: &mut BodyDataStream) -> String {
    let event = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
    String::from_utf8(event.unwrap().unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn who_listens_hears_of_a_trouble_that_changes_nothing_on_air_and_of_its_end() {
    let (site, mut events) = listened_to().await;
    let sources = Sources { station: Some("name = 1".to_owned()), week: None, days: None };
    let broken = schedule::read(&sources).unwrap_err();
    for (problems, said) in [(broken, "[\"schedule-broken\"]"), (Vec::new(), "[]")] {
        site.plan.send_modify(|plan| Arc::make_mut(plan).problems = Arc::new(problems));
        assert_eq!(next(&mut events).await.trim(), format!("event: health\ndata: {said}"));
    }
}

#[tokio::test]
async fn who_listens_hears_of_what_only_the_disk_can_tell() {
    let (site, mut events) = listened_to().await;
    let (file, aside) = (site.state.store.file(), site.dir.path().join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    // Looked at just between, it may say a part of it first.
    while !next(&mut events).await.contains("database-gone") {}
    std::fs::rename(&aside, &file).unwrap();
    while next(&mut events).await.trim() != "event: health\ndata: []" {}
}
