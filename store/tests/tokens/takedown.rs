//! A pack that is taken down and put back.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sticker_protocol::token::Refusal;
use sticker_store::audit::Actor;
use sticker_store::catalogue::takedown::{reinstate, take_down};
use sticker_store::purchase::order::{self, Wish};
use sticker_store::purchase::word::Provider;

use crate::town::{Follower, in_town, send, user};

const OPERATOR: Actor<'_> = Actor("operator");

#[test]
fn a_pack_that_was_taken_down_is_refused_for_everybody_and_out_of_the_store_until_it_is_back() {
    in_town(async |town| {
        let (alice, bob, carol) = (user("alice"), user("bob"), user("carol"));
        let mut old = Vec::new();
        for owner in [alice, bob] {
            town.buys(&town.one, &owner).await;
            old.extend(town.tokens(&town.one, &owner).await.unwrap().into_iter().map(|token| (owner, token)));
        }
        let taken = take_down(&town.one, OPERATOR, town.pack, "a claim").await.unwrap();
        let again = take_down(&town.other, OPERATOR, town.pack, "another reason").await.unwrap();
        assert_eq!(again, taken);

        let mut chat = Follower::default();
        chat.catches_up(town, &town.other, 1_000).await;
        assert_eq!(chat.seen, [1]);
        for (owner, issued) in &old {
            assert_eq!(town.verdict(&chat.denied, owner, issued), Err(Refusal::Revoked));
            assert_eq!(town.own_verdict(&town.one, owner, issued), Err(Refusal::Revoked));
        }
        assert_eq!(town.tokens(&town.other, &alice).await.unwrap_err().code(), "taken_down");
        assert_eq!(town.tokens(&town.other, &carol).await.unwrap_err().code(), "not_owned");
        let wish = Wish::new(town.pack, Provider::Sandbox);
        assert_eq!(order::make(&town.one, &carol, wish).await.unwrap_err().code(), "taken_down");
        let page = format!("/packs/{}", town.slug);
        assert_eq!(status(town, &page).await, StatusCode::NOT_FOUND);
        assert_eq!(status(town, &format!("/dl/{}.sticker", town.stickers[0])).await, StatusCode::OK);
        assert_eq!(status(town, &format!("/dl/{}.zip", town.pack)).await, StatusCode::OK);

        assert!(reinstate(&town.other, OPERATOR, town.pack, "the claim was withdrawn").await.unwrap());
        assert!(!reinstate(&town.one, OPERATOR, town.pack, "the same").await.unwrap());
        chat.catches_up(town, &town.one, 1_000).await;
        for issued in town.tokens(&town.one, &alice).await.unwrap() {
            assert_eq!(town.verdict(&chat.denied, &alice, &issued), Ok(issued.expires_at));
        }
        for (owner, issued) in &old {
            assert_eq!(town.verdict(&chat.denied, owner, issued), Err(Refusal::Revoked));
        }
        assert_eq!(status(town, &page).await, StatusCode::OK);
    });
}

async fn status(town: &crate::town::Town, path: &str) -> StatusCode {
    send(&town.one, Request::get(path).body(Body::empty()).unwrap()).await.status()
}
