//! The clock is set back by an hour.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sticker_protocol::token::{Expected, Refusal, Version};
use sticker_store::account::launch::{self, Guest};
use sticker_store::app::App;
use sticker_store::audit::Actor;
use sticker_store::purchase::order::Recipient;
use sticker_store::purchase::refund::refund;
use sticker_store::purchase::state::State;
use sticker_store::purchase::word::Provider;
use sticker_store::token::issue::{Issued, Wanted as Tokens, issue};

use crate::published::send;
use crate::races::{in_town, pays, user};
use crate::town::Wanted;

const AN_HOUR: i64 = 3_600;

#[test]
fn sessions_tokens_payments_and_refunds_go_on_when_the_clock_steps_back_an_hour() {
    in_town(async |town| {
        let [store, other] = &town.stores;
        let (alice, bob) = (user("alice", 0), user("bob", 0));
        let guest = Guest { user: alice, locale: None, platform: None, partner: Some(bob) };
        let code = launch::make_code(store, &guest, 300).await.unwrap().code;
        let session = launch::open_session(store, &code).await.unwrap().unwrap();
        let of = |buyer, partner, pack| Wanted {
            buyer,
            partner,
            recipient: Recipient::Buyer,
            pack,
            provider: Provider::Sandbox,
        };
        let bought = town.orders(of(&alice, &bob, town.packs[0])).await;
        let ordered = town.orders(of(&alice, &bob, town.packs[1])).await;
        let waiting = launch::make_code(store, &guest, 300).await.unwrap().code;
        assert_eq!(pays(town, 0, &alice, &bought, "before").await.unwrap(), State::Granted);
        let tokens = async |app: &App| issue(app, &alice, &Tokens::Pack(town.packs[0]), Version::V1).await;
        let before = tokens(store).await.unwrap();

        town.sets_clock_by(-AN_HOUR);
        let library = Request::get("/v1/library").header(header::COOKIE, format!("session={session}"));
        let answer = send(store, library.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(launch::open_session(store, &waiting).await.unwrap().is_some());
        assert_eq!(pays(town, 0, &alice, &bought, "before").await.unwrap(), State::Granted);
        assert_eq!(pays(town, 1, &alice, &ordered, "after").await.unwrap(), State::Granted);
        let after = tokens(other).await.unwrap();
        let accepted = |issued: &Issued| {
            let expected = Expected { sticker: issued.sticker, user: alice };
            let ring = store.tokens.ring();
            ring.keyring.verify(issued.token.as_str(), store.clock.now(), &expected, &store.tokens.denied())
        };
        for issued in before.iter().chain(&after) {
            assert!(accepted(issued).is_ok(), "{issued:?}");
        }
        let refunded = refund(store, Actor("operator"), &bought.id, "asked for").await.unwrap();
        assert_eq!(refunded.state, State::Revoked);
        for issued in before.iter().chain(&after) {
            assert_eq!(accepted(issued), Err(Refusal::Revoked), "{issued:?}");
        }
        let report = sticker_store::audit::verify::verify(store, None).await.unwrap();
        assert!(report.findings.is_empty(), "{report:?}");
    });
}
