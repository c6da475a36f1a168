//! Gifts with a code.

use std::sync::Arc;

use axum::http::StatusCode;
use sea_orm::EntityTrait as _;
use serde_json::json;
use sticker_protocol::token::Refusal;
use sticker_store::purchase::entity::gift;

use crate::people::{Person, code_in, visits, visits_with_partner};
use crate::town::{Follower, Town, in_town};

const A_DAY: i64 = 86_400;

#[test]
fn a_code_gives_the_pack_once_to_whoever_redeems_it_however_they_type_it() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (order, code) = alice.gives(town).await;
        assert_eq!(alice.owns().await, None);
        let typed =
            format!(" {} ", code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l"));
        let given = bob.redeems(&typed).await;
        assert_eq!(given.status, StatusCode::OK, "{}", given.text);
        assert_eq!(given.json(), json!({ "kind": "gift", "pack_id": town.pack }));
        assert_eq!(bob.redeems(&code).await.json(), given.json());
        assert_eq!(bob.owns().await.as_deref(), Some("gift"));
        assert_eq!(alice.owns().await, None);
        let after = alice.order(&order).await;
        assert_eq!(after["state"], "granted", "{after}");
        assert_eq!(after["gift"], json!({ "kind": "code", "state": "redeemed" }));
        let late = visits(&town.one, "carol").await.redeems(&code).await;
        assert_eq!((late.status, late.error_code().as_str()), (StatusCode::CONFLICT, "code_used"));
    });
}

#[test]
fn the_database_has_no_code_and_the_giver_sees_theirs_again_at_every_store() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let (order, code) = alice.gives(town).await;
        assert_eq!(code_in(&visits(&town.other, "alice").await.order(&order).await), code);
        let row = gift::Entity::find_by_id(order).one(&town.one.db).await.unwrap().unwrap();
        let (kept, plain) = (format!("{row:?}"), code.replace('-', ""));
        assert!(!kept.contains(&code) && !kept.contains(&plain), "{kept}");
        assert_eq!(row.code_hash.unwrap().len(), 64);
    });
}

#[test]
fn of_twenty_who_redeem_a_code_at_the_same_moment_one_gets_the_pack() {
    in_town(async |town| {
        let (_, code) = visits(&town.one, "alice").await.gives(town).await;
        let mut running = tokio::task::JoinSet::new();
        for at in 0..20 {
            let app = if at % 2 == 0 { &town.one } else { &town.other };
            let (person, code) = (visits(app, &format!("friend-{at}")).await, code.clone());
            running.spawn(async move { (person.redeems(&code).await, person.owns().await.is_some()) });
        }
        let mut owners = 0;
        while let Some(done) = running.join_next().await {
            let (answer, owns) = done.unwrap();
            assert_eq!(owns, answer.status == StatusCode::OK, "{}", answer.text);
            if owns {
                owners += 1;
            } else {
                assert_eq!(answer.error_code(), "code_used");
            }
        }
        assert_eq!(owners, 1);
    });
}

#[test]
fn a_code_that_was_taken_back_gives_nothing_and_another_one_does() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (order, first) = alice.gives(town).await;
        // A code that waits is the one there is.
        assert_eq!(code_in(&alice.acts(&order, "new_code").await.json()), first);
        let back = alice.acts(&order, "take_back").await;
        assert_eq!(back.json()["gift"], json!({ "kind": "code", "state": "returned" }), "{}", back.text);
        assert_eq!(alice.acts(&order, "take_back").await.json(), back.json());
        assert_eq!(bob.redeems(&first).await.error_code(), "code_invalid");
        let second = code_in(&alice.acts(&order, "new_code").await.json());
        assert_ne!(second, first);
        assert_eq!(bob.redeems(&first).await.error_code(), "code_invalid");
        assert_eq!(bob.redeems(&second).await.status, StatusCode::OK);
        for action in ["take_back", "new_code", "keep"] {
            assert_eq!(alice.acts(&order, action).await.error_code(), "gift_taken", "{action}");
        }
    });
}

#[test]
fn a_giver_keeps_a_gift_that_nobody_has_taken() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let (order, code) = alice.gives(town).await;
        let kept = alice.acts(&order, "keep").await;
        assert_eq!(
            (&kept.json()["state"], &kept.json()["gift"]["state"]),
            (&json!("granted"), &json!("kept"))
        );
        assert_eq!(alice.acts(&order, "keep").await.json(), kept.json());
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        assert_eq!(visits(&town.other, "bob").await.redeems(&code).await.error_code(), "code_invalid");
        // Who has the pack gives, and does not keep.
        let (second, _) = alice.gives(town).await;
        assert_eq!(alice.acts(&second, "keep").await.error_code(), "already_owned");
        assert_eq!(alice.order(&second).await["gift"]["state"], "waiting");
    });
}

#[test]
fn a_code_ends_with_its_last_millisecond_and_the_giver_makes_another() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (order, code) = alice.gives(town).await;
        let days = i64::from(town.one.config.purchase.gifts.code_days);
        town.passes(days * A_DAY - 1);
        // Sessions last as long as codes by default.
        let (alice, carol) = (alice.again(town).await, visits(&town.one, "carol").await);
        assert_eq!(alice.order(&order).await["gift"]["state"], "waiting");
        town.passes(1);
        let (alice, bob) = (alice.again(town).await, bob.again(town).await);
        let late = bob.redeems(&code).await;
        assert_eq!((late.status, late.error_code().as_str()), (StatusCode::CONFLICT, "code_expired"));
        assert_eq!(alice.order(&order).await["gift"], json!({ "kind": "code", "state": "expired" }));
        let another = code_in(&alice.acts(&order, "new_code").await.json());
        assert_ne!(another, code);
        assert_eq!(bob.redeems(&code).await.error_code(), "code_invalid");
        assert_eq!(carol.again(town).await.redeems(&another).await.status, StatusCode::OK);
    });
}

#[test]
fn a_refund_ends_a_code_that_waits_and_takes_the_pack_from_who_redeemed_it() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (order, code) = alice.gives(town).await;
        town.refunds(&town.other, &order).await;
        assert_eq!(bob.redeems(&code).await.error_code(), "code_invalid");
        for action in ["take_back", "new_code", "keep"] {
            assert_eq!(alice.acts(&order, action).await.error_code(), "revoked", "{action}");
        }
        assert_eq!(alice.order(&order).await["gift"]["state"], "revoked");

        let (order, code) = alice.gives(town).await;
        assert_eq!(bob.redeems(&code).await.status, StatusCode::OK);
        let issued = town.tokens(&town.other, &bob.id).await.unwrap();
        assert!(!issued.is_empty());
        town.refunds(&town.one, &order).await;
        assert_eq!(bob.owns().await, None);
        assert_eq!(town.tokens(&town.other, &bob.id).await.unwrap_err().code(), "not_owned");
        let mut chat = Follower::default();
        chat.catches_up(town, &town.other, 1_000).await;
        for token in &issued {
            assert_eq!(town.verdict(&chat.denied, &bob.id, token), Err(Refusal::Revoked));
        }
        assert_eq!(bob.redeems(&code).await.error_code(), "code_used");
    });
}

#[test]
fn who_owns_the_pack_leaves_the_code_to_others() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (_, code) = alice.gives(town).await;
        town.buys(&town.one, &bob.id).await;
        let refused = bob.redeems(&code).await;
        assert_eq!((refused.status, refused.error_code().as_str()), (StatusCode::CONFLICT, "already_owned"));
        assert_eq!(visits(&town.one, "carol").await.redeems(&code).await.status, StatusCode::OK);
        // The giver themselves may be who redeems.
        let (order, own) = alice.gives(town).await;
        assert_eq!(alice.redeems(&own).await.status, StatusCode::OK);
        assert_eq!(alice.order(&order).await["gift"]["state"], "kept");
    });
}

#[test]
fn of_who_takes_back_and_who_redeems_at_the_same_moment_one_wins() {
    in_town(async |town| {
        let alice = Arc::new(visits(&town.one, "alice").await);
        for round in 0..12 {
            let (order, code) = alice.gives(town).await;
            let friend = visits(&town.other, &format!("friend-{round}")).await;
            let (giver, action) = (Arc::clone(&alice), if round % 2 == 0 { "take_back" } else { "keep" });
            let (of, by) = (order.clone(), friend.clone());
            let back = tokio::spawn(async move { giver.acts(&of, action).await });
            let taken = tokio::spawn(async move { by.redeems(&code).await });
            let (back, taken) = (back.await.unwrap(), taken.await.unwrap());
            let took = taken.status == StatusCode::OK;
            assert_eq!(friend.owns().await.is_some(), took);
            if took {
                assert_eq!(back.error_code(), "gift_taken", "{}", back.text);
            } else {
                assert_eq!((back.status, taken.error_code().as_str()), (StatusCode::OK, "code_invalid"));
            }
            // So that it can be kept again.
            if action == "keep" && !took {
                town.refunds(&town.one, &order).await;
            }
        }
    });
}

#[test]
fn a_gift_is_its_givers_alone_and_not_before_it_is_paid() {
    in_town(async |town| {
        let (alice, mallory) =
            (visits(&town.one, "alice").await, visits_with_partner(&town.one, "mallory", "alice").await);
        let order = alice.orders(town, Some("code")).await;
        for action in ["take_back", "new_code", "keep"] {
            assert_eq!(alice.acts(&order, action).await.error_code(), "not_paid", "{action}");
        }
        alice.pays(&order).await;
        for action in ["take_back", "new_code", "keep"] {
            assert_eq!(mallory.acts(&order, action).await.status, StatusCode::NOT_FOUND, "{action}");
        }
        assert_eq!(mallory.gets(&format!("/v1/orders/{order}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(alice.acts(&order, "burn").await.error_code(), "invalid_body");
        let own = alice.orders(town, None).await;
        assert_eq!(alice.acts(&own, "keep").await.error_code(), "not_a_gift");
        assert_eq!(alice.order(&order).await["gift"]["state"], "waiting");
    });
}

#[test]
fn what_is_no_code_is_refused_and_after_many_tries_a_user_waits() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.one, "bob").await);
        for typed in ["", "abc", "0000-0000-0000-0000", "<script>", &"z".repeat(5_000)] {
            let refused = alice.redeems(typed).await;
            assert_eq!(
                (refused.status, refused.error_code().as_str()),
                (StatusCode::UNPROCESSABLE_ENTITY, "code_invalid"),
                "{typed:?}"
            );
        }
        let mut tries = 0;
        let limited = loop {
            let answer = bob.redeems("0000-0000-0000-0000").await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                break answer;
            }
            tries += 1;
            assert!(tries < 1_000, "nobody is ever limited");
        };
        assert!(tries >= 10, "{tries}");
        assert_eq!(limited.error_code(), "rate_limited");
        assert!(limited.headers["retry-after"].parse::<u32>().unwrap() >= 1);
        // One user's tries are not another's.
        assert_eq!(alice.redeems("0000-0000-0000-0000").await.error_code(), "code_invalid");
    });
}

#[test]
fn the_page_for_codes_gives_the_pack_or_says_in_words_why_not() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let (order, code) = alice.gives(town).await;
        let page = alice.gets(&format!("/orders/{order}")).await.text;
        assert!(page.contains(&code) && page.contains(&format!("/redeem#{code}")), "{page}");
        assert!(bob.gets("/redeem").await.text.contains("name=\"code\""));
        let wrong = bob.submits("/redeem", "code=%3Cquux%3E").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text.contains("This code gives nothing") && wrong.text.contains("&#60;quux&#62;"));
        let given = bob.submits("/redeem", &format!("code={code}")).await;
        assert_eq!(given.status, StatusCode::SEE_OTHER);
        assert_eq!(given.headers["location"], format!("/redeem?pack={}", town.pack));
        assert!(bob.gets(&given.headers["location"]).await.text.contains("It’s yours"));
        // Nobody is told that a pack is theirs which is not.
        assert!(alice.gets(&given.headers["location"]).await.text.contains("name=\"code\""));
        assert!(bob.gets("/library").await.text.contains("From a friend"));
        let page = alice.gets(&format!("/orders/{order}")).await.text;
        assert!(page.contains("Your gift was opened") && !page.contains(&code));
    });
}

#[test]
fn the_buttons_of_the_orders_page_take_back_and_make_another_code() {
    in_town(async |town| {
        let alice = visits(&town.one, "alice").await;
        let form = format!("pack={}&idempotency_key=k-1&gift=code", town.slug);
        let made = alice.submits("/orders", &form).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
        let page = made.headers["location"].clone();
        assert_eq!(alice.submits(&format!("{page}/pay"), "").await.status, StatusCode::SEE_OTHER);
        let order = page.trim_start_matches("/orders/").to_owned();
        let first = code_in(&alice.order(&order).await);
        for (action, says) in [("take_back", "You took the code back"), ("new_code", "Your gift is ready")] {
            let done = alice.submits(&format!("{page}/gift"), &format!("action={action}")).await;
            assert_eq!((done.status, &done.headers["location"]), (StatusCode::SEE_OTHER, &page));
            assert!(alice.gets(&page).await.text.contains(says), "{action}");
        }
        assert_ne!(code_in(&alice.order(&order).await), first);
        // The second press of a button changes nothing, and shows how it stands.
        let again = alice.submits(&format!("{page}/gift"), "action=new_code").await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
    });
}

impl Person {
    /// The same person in a new session.
    async fn again(&self, town: &Town) -> Self {
        visits(&town.one, self.id.as_text().unwrap()).await
    }
}
