//! The log over HTTP.

use std::io::Write as _;

use super::air_pages::Tab;
use super::*;
use crate::asrun::{Cause, Fact, NotAired};
use crate::schedule::Late;
use crate::timeline::{Absence, Content, Cue, Form, Join};

/// A station on which so many cues did not air, a minute apart from 05:30, titled as told.
pub(super) fn site_with(titles: &[&str]) -> Site {
    let site = Site::new();
    let zones = BTreeMap::from([("loa-xa".into(), vec!["Võ Kiện".to_owned()])]);
    site.state.store.set_station(crate::store::Station { zones, ..crate::store::Station::default() });
    for (minute, title) in (0..).zip(titles) {
        not_aired(&site, ("loa-xa", &format!("2026-11-23/sang/muc/{minute}")), title, minute);
    }
    site
}

/// Has the log say that a cue of an output did not air, so many minutes after 05:30.
pub(super) fn not_aired(site: &Site, (output, cue): (&str, &str), title: &str, minute: i64) {
    let start: Timestamp = "2026-11-22T22:30:00Z".parse().unwrap();
    let at = start + SignedDuration::from_mins(minute);
    let cue = Cue {
        id: cue.parse().unwrap(),
        session_title: Some("Buổi phát dùng thử".into()),
        title: title.to_owned(),
        programme: None,
        topic: Some("II.2".into()),
        genre: None,
        start: Join::Hard,
        at,
        end: at + SignedDuration::from_secs(10),
        fade: SignedDuration::ZERO,
        lost: SignedDuration::ZERO,
        late: Late::Skip,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        content: Content::Nothing(Absence::Missing),
        gain_db: 0.0,
    };
    let fact = NotAired {
        cue: Arc::new(cue),
        output: output.into(),
        cause: Cause::NothingHandedIn,
        clock: ClockHealth::Synchronised,
        at,
    };
    site.state.store.record(&Fact::NotAired(fact)).unwrap();
}

#[tokio::test]
async fn airings_are_asked_for_by_day_outcome_and_page() {
    let site = site_with(&["một", "hai", "ba"]);
    let titles = async |query: &str| {
        let page = site.get("auditor", &format!("/api/v1/airings?{query}")).await.json();
        let titles: Vec<_> = page["airings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|airing| airing["title"].as_str().unwrap().to_owned())
            .collect();
        (titles, page["next"].clone())
    };
    assert_eq!(titles("from=2026-11-23&to=2026-11-23").await.0, ["một", "hai", "ba"]);
    assert_eq!(titles("from=2026-11-24").await.0, [""; 0]);
    assert_eq!(titles("to=2026-11-22T22:31:00Z").await.0, ["một"]);
    assert_eq!(titles("outcome=aired").await.0, [""; 0]);
    assert_eq!(titles("outcome=not-aired&output=loa-xa").await.0.len(), 3);
    assert_eq!(titles("output=none").await.0, [""; 0]);
    let (first, next) = titles("limit=2").await;
    assert_eq!(first, ["một", "hai"]);
    let (second, end) = titles(&format!("limit=2&after={}", next.as_str().unwrap())).await;
    assert_eq!((second, end), (vec!["ba".to_owned()], Value::Null));
    for query in ["from=x", "outcome=lost", "after=x", "format=pdf"] {
        assert_eq!(
            site.get("auditor", &format!("/api/v1/airings?{query}")).await.problem(),
            refused(422, "bad-field"),
            "{query}"
        );
    }
    let backwards = site.get("auditor", "/api/v1/airings?from=2026-11-24&to=2026-11-22").await;
    assert_eq!(backwards.problem(), refused(422, "ends-before-it-begins"));
    let airing = &site.get("auditor", "/api/v1/airings?limit=1").await.json()["airings"][0];
    assert_eq!((&airing["outcome"], &airing["cause"]), (&json!("not-aired"), &json!("nothing-handed-in")));
    assert_eq!(airing["planned_local"], "2026-11-23T05:30:00.000+07:00");
}

#[tokio::test]
async fn the_log_as_csv_has_the_columns_of_the_paper_one_and_no_formulas() {
    let site = site_with(&["=HYPERLINK(\"http://x\")", "Tin \"nóng\""]);
    let by_query = site.get("auditor", "/api/v1/airings?format=csv").await;
    let request = site.request("auditor", "GET", "/api/v1/airings").header(header::ACCEPT, "text/csv");
    let by_header = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(by_query.body, by_header.body);
    assert!(by_query.header(header::CONTENT_TYPE).starts_with("text/csv; charset=utf-8"));
    let text = by_query.text();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("\u{feff}STT,Ngày,Buổi,Giờ theo lịch,"));
    assert!(lines[1].starts_with("1,23/11/2026,Buổi phát dùng thử,05:30:00,"), "{}", lines[1]);
    assert!(lines[1].contains("\"'=HYPERLINK(\"\"http://x\"\")\"") && lines[1].contains("chưa có bài nộp"));
    assert!(lines[2].contains("\"Tin \"\"nóng\"\"\"") && lines[2].contains("Võ Kiện"));
    assert_eq!(lines.len(), 3);
    let first = site.get("auditor", "/api/v1/airings?format=csv&limit=1").await;
    let link = first.header(header::LINK);
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    assert!(site.get("auditor", next).await.text().contains("nóng"));
    assert_eq!(by_query.header(header::LINK), "");
}

#[tokio::test]
async fn the_next_page_of_the_csv_is_of_what_was_asked_for() {
    let site = site_with(&["một", "hai", "ba", "bốn"]);
    // Until 05:33, without the fourth.
    let asked = "from=2026-11-23&to=2026-11-23T05:33:00%2B07:00&output=loa-xa&outcome=not-aired&limit=2";
    let mut page = Some(format!("/api/v1/airings?{asked}&format=csv"));
    let mut titles = Vec::new();
    while let Some(address) = page {
        let answer = site.get("auditor", &address).await;
        let text = answer.text();
        titles.push(text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>());
        let link = answer.header(header::LINK);
        page = link.split_once('>').map(|(next, _)| next.trim_start_matches('<').to_owned());
    }
    assert_eq!(titles.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1], "{titles:#?}");
    assert!(titles[1][0].contains(",ba,"), "{titles:#?}");
}

#[tokio::test]
async fn a_walk_through_the_log_finds_it_sound() {
    let site = site_with(&["một", "hai"]);
    let walk = site.get("auditor", "/api/v1/airings/verify").await.json();
    assert_eq!((&walk["sound"], &walk["rows"], &walk["first_bad"]), (&json!(true), &json!(2), &Value::Null));
    assert_eq!(walk["head"].as_str().unwrap().len(), 64);
    assert_eq!(site.acts(), [("auditor".into(), "log.verify".into(), "journal".into())]);
    let _place = site.state.limits.walks.try_acquire().unwrap();
    assert_eq!(site.get("auditor", "/api/v1/airings/verify").await.problem(), refused(503, "busy"));
}

#[tokio::test]
async fn a_failure_gives_a_number_and_no_secrets() {
    let site = site_with(&["một"]);
    for entry in std::fs::read_dir(site.dir.path().join("data")).unwrap() {
        let mut file =
            std::fs::File::options().write(true).truncate(true).open(entry.unwrap().path()).unwrap();
        file.write_all("no database at all, no database at all".repeat(500).as_bytes()).unwrap();
    }
    let answer = site.get("auditor", "/api/v1/airings").await;
    assert_eq!(answer.problem(), refused(500, "unexpected"));
    let number = answer.json()["number"].as_str().unwrap().to_owned();
    assert_eq!(number.len(), 8);
    let text = answer.text();
    assert!(text.contains(&format!("số lỗi {number}")));
    for secret in ["SELECT", "sqlite", "database", site.dir.path().to_str().unwrap()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn what_a_filter_leaves_is_counted_and_said_to_be_no_whole_day() {
    let site = site_with(&["Điểm tin", "Quét mã QR"]);
    let sum = async |query: &str| {
        let page = Tab::of(&site, "auditor").get(&format!("/nhat-ky?day=2026-11-23{query}")).await.text();
        let (_, sum) = page.split_once("<p class=\"summary\">").unwrap();
        sum.split_once("</p>").unwrap().0.to_owned()
    };
    let whole = sum("").await;
    assert!(whole.starts_with("Theo lịch 2 mục · đã phát 0 · phát một phần 0 · không phát 2"), "{whole}");
    for (query, planned) in [("&text=diem+tin", 1), ("&outcome=not-aired", 2), ("&outcome=aired", 0)] {
        let said = format!(
            "Chỉ tính các mục đúng bộ lọc, không phải cả ngày: Theo lịch {planned} mục · đã phát 0 · phát một phần 0 · \
             không phát {planned}."
        );
        let sum = sum(query).await;
        assert!(sum.starts_with(&said), "{query}: {sum}");
    }
}
