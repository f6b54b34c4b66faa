//! Recordings, listened to and looked at.

use super::*;

#[tokio::test]
async fn a_recording_is_heard_in_ranges_and_seen_as_a_shape() {
    let site = Site::new();
    let recording = site.recording(440.0).await;
    let path = format!("/api/v1/segments/{}", recording["id"].as_str().unwrap());
    let original = wav(440.0, 1.0);
    let whole = site.get("approver", &format!("{path}/audio")).await;
    assert_eq!((whole.status, &whole.body[..]), (StatusCode::OK, &original[..]));
    let range_of = async |what: &str, range: &str| {
        let path = format!("{path}/{what}");
        let request = site.request("approver", "GET", &path).header(header::RANGE, range);
        site.send(request.body(Body::empty()).unwrap()).await
    };
    let range = async |range: &str| range_of("audio", range).await;
    let part = range("bytes=100-199").await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &original[100..200]));
    assert_eq!(part.header(header::CONTENT_RANGE), format!("bytes 100-199/{}", original.len()));
    let levelled = site.get("approver", &format!("{path}/levelled")).await.body.len();
    for (what, whole) in [("audio", original.len()), ("levelled", levelled)] {
        for beyond in ["bytes=99999999-", "bytes=99999999999999999999-", "bytes=-0"] {
            let beyond = range_of(what, beyond).await;
            assert_eq!(beyond.problem(), refused(416, "no-such-range"), "{what}");
            assert_eq!(beyond.header(header::CONTENT_RANGE), format!("bytes */{whole}"));
        }
        for nonsense in ["items=1-2", "bytes=9-1", "rubbish"] {
            assert_eq!(range_of(what, nonsense).await.status, StatusCode::OK, "{nonsense}");
        }
        let end = range_of(what, "bytes=44-99999999999999999999").await;
        assert_eq!((end.status, end.body.len()), (StatusCode::PARTIAL_CONTENT, whole - 44), "{what}");
    }
    let part_of = async |what: &str, path: &str| {
        let request = site.request("approver", "GET", path).header(header::RANGE, "bytes=100-199");
        site.send(request.header(header::IF_RANGE, what).body(Body::empty()).unwrap()).await
    };
    let audio = format!("{path}/audio");
    for known in [header::ETAG, header::LAST_MODIFIED] {
        let part = part_of(whole.header(known.clone()), &audio).await;
        assert_eq!((part.status, part.body.len()), (StatusCode::PARTIAL_CONTENT, 100), "{known}");
    }
    for path in [&audio, &format!("{path}/levelled")] {
        assert_eq!(part_of("\"other\"", path).await.status, StatusCode::OK, "{path}");
    }

    let peaks = site.get("approver", &format!("{path}/waveform")).await.json();
    let peaks = peaks["peaks"].as_array().unwrap();
    assert!(
        !peaks.is_empty()
            && peaks.iter().all(|pair| pair[0].as_i64().unwrap() < -20 && pair[1].as_i64().unwrap() > 20)
    );

    std::fs::remove_file(site.state.audio_dir.join(recording["file"].as_str().unwrap())).unwrap();
    assert_eq!(site.get("approver", &format!("{path}/audio")).await.problem(), refused(404, "file-gone"));
    assert_eq!(
        site.get("approver", "/api/v1/segments/%2e%2e%2fx/audio").await.problem(),
        refused(404, "no-such-segment")
    );
}
