//! Hôm nay.

use super::air_pages::Tab;
use super::*;
use crate::asrun::{Cause, Fact, NotAired};
use crate::segment::FileTrouble;

#[tokio::test]
async fn a_session_that_goes_on_past_midnight_is_in_the_rundown_of_both_days() {
    let site = Site::new();
    let station = STATION.replace("from = 20:00:00, to = 05:30:00", "from = 02:00:00, to = 05:00:00");
    let week = WEEK.replace("05:30:00", "23:00:00").replace("06:00:00", "01:00:00");
    let plan = plan_of(&station, &week, &site.state.store, site.clock.now());
    let cue = plan.timelines[0].cues().next().unwrap().clone();
    let (output, clock, at) = ("loa-xa".into(), ClockHealth::Synchronised, cue.at);
    let fact = NotAired { cue, output, cause: Cause::FileBroken, clock, at };
    site.state.store.record(&Fact::NotAired(fact)).unwrap();
    site.plan.send_replace(Arc::new(plan));
    let session = "<strong>Buổi sáng</strong> <span class=\"times\">23:00 – 01:00</span>";
    let today = async || Tab::of(&site, "auditor").get("/").await.text();
    for (hours, there) in [(0, true), (16, true), (1, true), (8, true), (24, false)] {
        site.clock.advance(Duration::from_secs(hours * 3600));
        let page = today().await;
        assert_eq!(page.contains(session), there, "after {hours} h more: {page}");
        assert_eq!(page.contains("tệp lỗi"), there, "with what became of it");
    }
}

#[tokio::test]
async fn what_is_kept_in_memory_is_not_said_to_be_silent_where_its_file_is_gone() {
    let site = Site::new();
    let recording = site.approved(440.0).await;
    let id = recording["id"].as_str().unwrap();
    site.plan.send_modify(|plan| {
        let plan = Arc::make_mut(plan);
        let troubles = [(id.into(), FileTrouble::FileMissing)];
        plan.catalog = Arc::new(plan.catalog.with_troubles(troubles.into()));
    });
    let (silent, sounds) = ("Bản ghi này không phát được", "vẫn phát ngay được từ bộ nhớ");
    let tab = Tab::of(&site, "uploader");
    for kept in [false, true] {
        if kept {
            let status = site.status.as_ref().unwrap();
            status.send_modify(|status| status.kept = Arc::new([id.into()].into()));
        }
        for path in ["/", &format!("/ban-ghi/{id}")] {
            let page = tab.get(path).await.text();
            assert!(page.contains("bị mất") && page.contains(recording["file"].as_str().unwrap()), "{page}");
            assert_eq!([silent, sounds].map(|said| page.contains(said)), [!kept, kept], "{path}: {page}");
        }
    }
}
