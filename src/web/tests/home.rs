//! Hôm nay.

use super::air_pages::Tab;
use super::*;
use crate::asrun::{Cause, Fact, NotAired};

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
