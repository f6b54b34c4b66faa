//! Behind a proxy on the same machine.

use axum::Extension;
use axum::extract::ConnectInfo;

use super::air_pages::Tab;
use super::*;
use crate::store::Link;

/// Adds a person from `from` through what may be a proxy, with the headers it sends; the link that is shown, and the
/// origin that is kept.
async fn added(proxy: Proxy, from: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut site = Site::new();
    site.router = router(State { proxy, ..site.state.clone() });
    let tab = Tab::of(&site, "admin");
    let mut request = Request::post("/nguoi-dung")
        .header(header::COOKIE, &tab.cookie)
        .header(header::HOST, "loa.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(ConnectInfo(Peer(from.parse().unwrap())));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::from(format!("key={}&name=lan&role=uploader", tab.key));
    let page = site.send(request.body(body).unwrap()).await.text();
    let (_, link) = page.split_once("<p class=\"card secret\">").unwrap_or_else(|| panic!("{page}"));
    let (link, _) = link.split_once("/bat-dau/").unwrap();
    let acts = site.state.store.acts(Timestamp::MIN, Timestamp::MAX, 1).unwrap();
    (link.to_owned(), acts[0].origin.clone())
}

#[tokio::test]
async fn a_proxy_is_believed_where_the_station_was_told_of_it_and_only_from_the_machine_itself() {
    let headers = [
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-for", "203.0.113.9, 192.0.2.7"),
        ("x-forwarded-proto", "https"),
    ];
    let seen = async |proxy, from| added(proxy, from, &headers).await;
    let pair = |link: &str, origin: &str| (link.to_owned(), origin.to_owned());
    let (here, elsewhere) = ("127.0.0.1:9", "192.168.1.20:9");
    // The last entry is the proxy's; those before it are whatever a client wrote.
    assert_eq!(seen(Proxy::Here, here).await, pair("https://loa.example", "192.0.2.7"));
    assert_eq!(seen(Proxy::Here, "[::ffff:127.0.0.1]:9").await, pair("https://loa.example", "192.0.2.7"));
    assert_eq!(seen(Proxy::Here, elsewhere).await, pair("http://loa.example", "192.168.1.20"));
    assert_eq!(seen(Proxy::None, here).await, pair("http://loa.example", "127.0.0.1"));
    // One address, however it is written.
    let mapped = [("x-forwarded-for", "::ffff:192.0.2.7")];
    assert_eq!(added(Proxy::Here, here, &mapped).await, pair("http://loa.example", "192.0.2.7"));
    let direct = added(Proxy::None, "[::ffff:192.0.2.7]:9", &[]).await;
    assert_eq!(direct, pair("http://loa.example", "192.0.2.7"));
    // What is no address is no address.
    let odd = [("x-forwarded-for", "unknown"), ("x-forwarded-proto", "gopher")];
    assert_eq!(added(Proxy::Here, here, &odd).await, pair("http://loa.example", "127.0.0.1"));
}

#[tokio::test]
async fn a_login_over_tls_is_sent_over_tls_only() {
    for (proxy, scheme, secure) in
        [(Proxy::Here, "https", true), (Proxy::Here, "http", false), (Proxy::None, "https", false)]
    {
        let mut site = Site::new();
        let state = State { proxy, ..site.state.clone() };
        site.router = router(state).layer(Extension(ConnectInfo(Peer("127.0.0.1:9".parse().unwrap()))));
        let now = site.clock.now();
        let link = site.state.store.new_link(Link::For("admin".to_owned()), now).unwrap();
        let (set, password) = (format!("/bat-dau/{link}"), ("password", "mưa thuận gió hoà"));
        let fields = [("name", "admin"), password, ("again", password.1)];
        for path in [set.as_str(), "/dang-nhap"] {
            let answer = site.post(path, &[("x-forwarded-proto", scheme)], &fields).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.text());
            let cookie = answer.header(header::SET_COOKIE);
            assert_eq!(cookie.contains("; Secure"), secure, "{scheme} {path}: {cookie}");
        }
    }
}

#[tokio::test]
async fn a_link_with_the_machines_own_address_says_that_no_other_machine_opens_it() {
    let site = Site::new();
    let tab = Tab::of(&site, "admin");
    let hosts = ["127.0.0.1:8600", "localhost:8600", "[::1]:8600", "192.168.1.9:8600", "loa.example"];
    for (nth, host) in hosts.into_iter().enumerate() {
        let request = Request::post("/nguoi-dung")
            .header(header::COOKIE, &tab.cookie)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = Body::from(format!("key={}&name=lan{nth}&role=uploader", tab.key));
        let page = site.send(request.body(body).unwrap()).await.text();
        assert_eq!(page.contains("chỉ mở được trên chính máy này"), nth < 3, "{host}: {page}");
    }
}
