//! What providers say in ways that nobody expects of them.

use serde_json::json;
use sticker_protocol::token::UserId;
use sticker_store::library::query::owns;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::Recipient;
use sticker_store::purchase::settle::{self, Outcome};
use sticker_store::purchase::state::State;
use sticker_store::purchase::word::{Provider, Standing, Word, World};

use crate::plan::event;
use crate::races::{in_town, user};
use crate::town::{PRODUCT, Town, Wanted};

async fn order_of(town: &Town, buyer: &UserId) -> order::Model {
    let partner = user("partner", 0);
    let (recipient, pack, provider) = (Recipient::Buyer, town.packs[0], Provider::Google);
    town.orders(Wanted { buyer, partner: &partner, recipient, pack, provider }).await
}

fn word(order: &order::Model, transaction: &str, version: i64, standing: Standing) -> Word {
    Word {
        provider: Provider::Google,
        world: World::Production,
        transaction: transaction.to_owned(),
        order: order.id.parse().ok(),
        product: Some(PRODUCT.to_owned()),
        quantity: 1,
        paid: None,
        standing,
        version,
        snapshot: json!({}),
        then: None,
    }
}

/// Tells a word that nobody hands in; gives what followed and the order's state.
async fn tells(town: &Town, id: &str, word: &Word) -> (Outcome, Option<State>) {
    let heard = settle::hear(&town.stores[0], &event(word.provider, id), word, None).await.unwrap();
    (heard.outcome, heard.order.map(|order| order.state))
}

#[test]
fn what_was_refunded_goes_back_while_another_payment_for_it_is_only_promised() {
    in_town(async |town| {
        let alice = user("alice", 0);
        let order = order_of(town, &alice).await;
        let paid = word(&order, "first", 2, Standing::Paid);
        assert_eq!(tells(town, "1", &paid).await, (Outcome::Settled, Some(State::Granted)));
        let promised = word(&order, "second", 1, Standing::Pending);
        assert_eq!(tells(town, "2", &promised).await.1, Some(State::Granted));
        let refunded = word(&order, "first", 4, Standing::Revoked);
        assert_eq!(tells(town, "3", &refunded).await, (Outcome::Revoked, Some(State::Revoked)));
        assert!(!owns(&town.stores[0].db, &alice, town.packs[0]).await.unwrap());
        let came = word(&order, "second", 2, Standing::Paid);
        assert_eq!(tells(town, "4", &came).await, (Outcome::Settled, Some(State::Granted)));
    });
}

#[test]
fn a_refund_takes_back_what_its_payment_bought_whatever_else_it_says_or_does_not_say() {
    in_town(async |town| {
        let others = order_of(town, &user("bob", 0)).await;
        let another = others.id.parse().ok();
        let changes: [(&str, &dyn Fn(Word) -> Word); 4] = [
            ("no account", &|word| Word { order: None, ..word }),
            ("another account", &|word| Word { order: another, ..word }),
            ("another product", &|word| Word { product: Some("pack.other".to_owned()), ..word }),
            ("another quantity", &|word| Word { quantity: 0, ..word }),
        ];
        for (round, (what, change)) in changes.into_iter().enumerate() {
            let order = order_of(town, &user("alice", round)).await;
            let transaction = format!("payment-{round}");
            let paid = word(&order, &transaction, 2, Standing::Paid);
            assert_eq!(tells(town, &format!("{what}-1"), &paid).await.1, Some(State::Granted));
            let refunded = change(word(&order, &transaction, 4, Standing::Revoked));
            let told = tells(town, &format!("{what}-2"), &refunded).await;
            assert_eq!(told, (Outcome::Revoked, Some(State::Revoked)), "{what}");
        }
        assert_eq!(town.order(&others.id).await.state, State::Created);
    });
}

#[test]
fn of_words_with_one_version_the_one_that_is_further_on_its_way_counts_in_whatever_order() {
    in_town(async |town| {
        let ways = [
            [Standing::Pending, Standing::Paid, Standing::Revoked],
            [Standing::Revoked, Standing::Paid, Standing::Pending],
            [Standing::Paid, Standing::Revoked, Standing::Pending],
        ];
        for (round, way) in ways.into_iter().enumerate() {
            let order = order_of(town, &user("alice", round)).await;
            for (at, standing) in way.into_iter().enumerate() {
                let word = word(&order, &format!("payment-{round}"), 1, standing);
                tells(town, &format!("{round}-{at}"), &word).await;
            }
            assert_eq!(town.order(&order.id).await.state, State::Revoked, "{way:?}");
        }
        let order = order_of(town, &user("bob", 0)).await;
        tells(town, "p-1", &word(&order, "p", 1, Standing::Pending)).await;
        tells(town, "p-2", &word(&order, "p", 1, Standing::Paid)).await;
        assert_eq!(town.order(&order.id).await.state, State::Granted);
    });
}

#[test]
fn a_submission_has_a_name_that_fits_its_row_however_long_the_payments_name_is() {
    in_town(async |town| {
        let order = order_of(town, &user("alice", 0)).await;
        let transaction = "t".repeat(200);
        let word = word(&order, &transaction, i64::MAX, Standing::Paid);
        let submission = settle::submission(&word);
        assert!(submission.id.len() <= 200, "{submission:?}");
        let submitter = settle::Submitter { user: &user("alice", 0), order_id: &order.id };
        let heard = settle::hear(&town.stores[0], &submission, &word, Some(submitter)).await.unwrap();
        assert_eq!(heard.order.unwrap().state, State::Granted);
        let other = Word { transaction: "t".repeat(199), ..word };
        assert_ne!(settle::submission(&other).id, submission.id);
    });
}
