//! Checks over HTTP: who may ask, how often, what goes on while the database is away, and what the metrics say.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};
use sticker_protocol::token::{Claims, UserId};
use sticker_protocol::{Expiry, StickerId};
use sticker_store::account::client::{self, NewClient, Scope};
use sticker_store::app::{self, App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use tower::ServiceExt as _;

const START: i64 = 1_800_000_000_000;

/// A store whose clock the test moves.
struct House {
    app: App,
    now: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl House {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(START));
        let data = folder.path().display().to_string();
        let settings = settings.iter().copied().chain([("DATA_DIR", data.as_str())]);
        let variables: Vec<_> =
            settings.map(|(name, value)| (format!("STICKER_STORE__{name}"), value.to_owned())).collect();
        let config = Config::load(None, variables.into_iter()).unwrap();
        let app = Parts::open(config, Clock::Manual(Arc::clone(&now)), Random::system()).await.unwrap();
        Self { app, now, _folder: folder }
    }

    async fn admits(&self, scopes: &[Scope]) -> NewClient {
        client::add(&self.app, "test", scopes).await.unwrap()
    }

    fn later(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    async fn asks(&self, method: &str, path: &str, secret: &str, body: String) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {secret}"))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let response = app::router(Arc::clone(&self.app)).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    async fn verifies(&self, secret: &str, checks: &[Value]) -> Answer {
        self.asks("POST", "/v1/tokens/verify", secret, json!({ "checks": checks }).to_string()).await
    }

    async fn status(&self, secret: &str) -> u16 {
        self.verifies(secret, &[]).await.status
    }

    fn check(&self) -> Value {
        let (user, sticker) = (UserId::from_text("alice").unwrap(), StickerId::new(7).unwrap());
        let claims = Claims { sticker, user, expires: Expiry(4_000_000_000) };
        let token = self.app.tokens.ring().keyring.issue(&claims).unwrap();
        json!({ "token": token.as_str(), "sticker_id": 7, "user": "alice" })
    }

    /// The value of a line of the metrics, 0 where there is none.
    async fn counted(&self, line: &str) -> f64 {
        let text = self.asks("GET", "/metrics", "", String::new()).await.text;
        let value = text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }
}

#[tokio::test]
async fn verifiers_of_both_kinds_may_check_and_others_may_not() {
    let house = House::with(&[]).await;
    for scope in [Scope::Verify, Scope::VerifyPublic] {
        let secret = house.admits(&[scope]).await.secret;
        let answer = house.verifies(&secret, &[house.check()]).await;
        assert_eq!(
            answer.json(),
            json!({ "results": [{ "accepted": true, "expires_at": 4_000_000_000_u32 }] })
        );
    }
    let operator = house.admits(&[Scope::Operate, Scope::Launch, Scope::Publish]).await.secret;
    let refused = house.verifies(&operator, &[]).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (403, "missing_scope"));
    assert_eq!(house.verifies("sk_of_nobody", &[]).await.error_code(), "unauthorized");
}

#[tokio::test]
async fn a_revoked_client_is_out_after_five_seconds() {
    let house = House::with(&[]).await;
    let client = house.admits(&[Scope::Verify]).await;
    assert_eq!(house.status(&client.secret).await, 200);
    assert!(client::revoke(&house.app, &client.id).await.unwrap());
    house.later(4_999);
    assert_eq!(house.status(&client.secret).await, 200, "known for less than five seconds");
    house.later(1);
    assert_eq!(house.status(&client.secret).await, 401);
}

#[tokio::test]
async fn while_the_database_is_away_known_verifiers_go_on_for_ten_minutes() {
    let house = House::with(&[]).await;
    let (verifier, launcher) =
        (house.admits(&[Scope::Verify]).await.secret, house.admits(&[Scope::Launch]).await.secret);
    let launches = async |house: &House| {
        house.asks("POST", "/v1/launch-codes", &launcher, r#"{"user":"alice"}"#.to_owned()).await.status
    };
    assert_eq!((house.status(&verifier).await, launches(&house).await), (200, 201));
    sticker_tests::closes(&house.app.db).await;

    house.later(5_000);
    assert_eq!(house.verifies(&verifier, &[house.check()]).await.json()["results"][0]["accepted"], true);
    assert_eq!(launches(&house).await, 503);
    assert_eq!(house.status("sk_never_seen").await, 503);
    house.later(594_999);
    assert_eq!(house.status(&verifier).await, 200);
    house.later(1);
    assert_eq!(house.status(&verifier).await, 503);
}

#[tokio::test]
async fn each_client_has_its_own_rate_of_checks_and_is_told_when_to_come_back() {
    let house = House::with(&[("TOKEN__CHECKS_PER_SECOND", "1")]).await;
    let [first, second] =
        [house.admits(&[Scope::Verify]).await.secret, house.admits(&[Scope::Verify]).await.secret];
    let thousand = vec![json!({}); 1_000];
    let answer = house.verifies(&first, &thousand).await;
    assert_eq!(answer.status, 200, "as many as one request has fit at once");
    assert_eq!(answer.json()["results"][999], json!({ "accepted": false, "code": "invalid_check" }));

    let limited = house.verifies(&first, &thousand).await;
    assert_eq!((limited.status, limited.error_code().as_str()), (429, "rate_limited"));
    let seconds: u32 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((900..=1_000).contains(&seconds), "{seconds}");
    assert_eq!(house.status(&first).await, 200, "no check costs nothing");
    assert_eq!(house.verifies(&second, &thousand).await.status, 200);

    let too_many = house.verifies(&second, &vec![json!({}); 1_001]).await;
    assert_eq!((too_many.status, too_many.error_code().as_str()), (422, "too_many"));
    let too_large = house.asks("POST", "/v1/tokens/verify", &second, " ".repeat(2 << 20)).await;
    assert_eq!((too_large.status, too_large.error_code().as_str()), (413, "too_large"));
}

#[tokio::test]
async fn metrics_count_requests_and_results_and_hold_no_user_and_no_token() {
    let house = House::with(&[]).await;
    let secret = house.admits(&[Scope::Verify]).await.secret;
    let lines = [
        "sticker_store_requests_total{route=\"/v1/tokens/verify\",status=\"2xx\"}",
        "sticker_store_checks_total{result=\"accepted\"}",
        "sticker_store_checks_total{result=\"wrong_user\"}",
        "sticker_store_requests_total{route=\"none\",status=\"4xx\"}",
    ];
    let mut before = Vec::new();
    for line in lines {
        before.push(house.counted(line).await);
    }
    let (check, mut of_bob) = (house.check(), house.check());
    of_bob["user"] = json!("bob-the-builder");
    house.verifies(&secret, &[check.clone(), of_bob]).await;
    house.asks("GET", "/nowhere/at-all", &secret, String::new()).await;
    for (line, before) in lines.into_iter().zip(before) {
        assert!(house.counted(line).await > before, "{line}");
    }
    let text = house.asks("GET", "/metrics", "", String::new()).await.text;
    for private in ["bob-the-builder", "alice", check["token"].as_str().unwrap(), secret.as_str(), "at-all"] {
        assert!(!text.contains(private), "{private} is in\n{text}");
    }
}

#[tokio::test]
async fn in_production_metrics_are_for_operators() {
    let house =
        House::with(&[("ENVIRONMENT", "production"), ("SERVER__PUBLIC_URL", "https://stickers.example.com")])
            .await;
    let (verifier, operator) =
        (house.admits(&[Scope::Verify]).await.secret, house.admits(&[Scope::Operate]).await.secret);
    let status = async |secret: &str| house.asks("GET", "/metrics", secret, String::new()).await.status;
    assert_eq!((status("").await, status(&verifier).await, status(&operator).await), (401, 403, 200));
}
