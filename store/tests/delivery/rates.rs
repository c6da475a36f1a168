//! How often an address may ask for a choice, and who that address is.

use sticker_store::app::Role;

use crate::depot::{Depot, Listening};

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_when_to_come_back_and_objects_by_their_hash_go_on() {
    let depot = Depot::new(&[("DELIVERY__NEGOTIATED_PER_SECOND", "2")]).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let (path, canonical) = (depot.sticker_path(), depot.canonical_path(depot.variants()[0]));
    let mut line = listening.connects();
    for asked in 0..10 {
        assert_eq!(line.asks("GET", &path, &[]).status, 200, "{asked}");
    }
    for path in [path.clone(), path.clone() + "?density=0", "/dl/1.sticker".to_owned()] {
        let refused = line.asks("GET", &path, &[("x-forwarded-for", "198.51.100.7")]);
        assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"), "{path}");
        assert_eq!((refused.header("retry-after"), refused.header("cache-control")), ("1", "no-store"));
    }
    assert_eq!(line.asks("GET", &canonical, &[]).status, 200);
    depot.later(500);
    assert_eq!(line.asks("GET", &path, &[]).status, 200);
    assert_eq!(line.asks("GET", &path, &[]).status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_of_its_clients_has_a_rate_of_its_own() {
    let settings =
        [("DELIVERY__NEGOTIATED_PER_SECOND", "1"), ("SERVER__TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#)];
    let depot = Depot::new(&settings).await;
    let listening = Listening::serves(&depot.app, &[Role::Delivery]).await;
    let mut line = listening.connects();
    let mut status =
        |client: &str| line.asks("GET", &depot.sticker_path(), &[("x-forwarded-for", client)]).status;
    for _ in 0..5 {
        assert_eq!(status("198.51.100.7"), 200);
    }
    assert_eq!(status("198.51.100.7"), 429);
    assert_eq!(status("203.0.113.1, 198.51.100.7"), 429, "what a client writes before is not believed");
    assert_eq!(status("198.51.100.7, 203.0.113.1"), 200);
    for last in 1..=5 {
        assert_eq!(status(&format!("2001:db8::{last}")), 200);
    }
    assert_eq!(status("2001:db8::ffff:1"), 429, "an IPv6 network is one client");
}
