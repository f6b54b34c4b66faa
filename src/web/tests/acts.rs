//! Nhật ký thao tác.

use super::air_pages::Tab;
use super::*;
use crate::store::Act;

#[tokio::test]
async fn what_was_done_last_stands_first_whatever_the_clock_said_then() {
    let site = Site::new();
    let now = site.clock.now();
    // The first hundred were done while the clock was years ahead.
    let years = SignedDuration::from_hours(24 * 800);
    for number in 0..210_i64 {
        let at = if number < 100 { now + years } else { now };
        site.state
            .store
            .act(Act {
                at: at + SignedDuration::from_secs(number),
                by: "admin".to_owned(),
                what: "user.add".to_owned(),
                subject: format!("n{number}n"),
                title: None,
                origin: "x".to_owned(),
            })
            .unwrap();
    }
    let tab = Tab::of(&site, "auditor");
    let (mut next, mut numbers, mut years_ahead) = ("/nhat-ky/thao-tac".to_owned(), Vec::new(), 0);
    while !next.is_empty() {
        let page = tab.get(&next).await.text();
        years_ahead += page.matches("/2029, ").count();
        let cells = page.split("<td>n").skip(1).map(|rest| rest.split_once("n</td>").unwrap().0);
        numbers.extend(cells.map(|number| number.parse::<i64>().unwrap()));
        let (_, ways) = page.split_once("</table>").unwrap();
        let older = ways.split("href=\"").find(|to| to.contains("truoc="));
        next = older.map_or(String::new(), |to| to.split_once('"').unwrap().0.replace("&amp;", "&"));
    }
    assert_eq!(numbers, (0..210).rev().collect::<Vec<_>>());
    assert_eq!(years_ahead, 100, "the time that was written is shown");
    let newest: Value = site.get("auditor", "/api/v1/acts?limit=1").await.json();
    assert_eq!(newest[0]["subject"], "n209n");
    let people = Tab::of(&site, "admin").get("/nguoi-dung").await.text();
    assert!(people.contains("<td>n209n</td>") && !people.contains("<td>n99n</td>"), "{people}");
}
