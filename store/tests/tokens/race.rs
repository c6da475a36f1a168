//! Issuing, refunding and buying again at the same moment, on two stores.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use sticker_protocol::token::{Refusal, UserId};
use sticker_store::app::App;
use sticker_store::audit::Actor;
use sticker_store::catalogue::takedown::{reinstate, take_down};
use sticker_store::token::issue::Issued;

use crate::town::{Follower, HALT, Town, in_town, user};

/// Runs futures at the same time and gives what they gave.
pub(crate) async fn together<T>(futures: Vec<Pin<Box<impl Future<Output = T>>>>) -> Vec<T> {
    let mut running: Vec<(Pin<Box<_>>, Option<T>)> = futures.into_iter().map(|it| (it, None)).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, done) in &mut running {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}

const USERS: usize = 4;
const ROUNDS: usize = 12;
const ISSUERS: usize = 3;

#[test]
fn after_each_refund_every_token_that_was_ever_handed_out_is_refused_and_after_each_purchase_new_ones_count()
{
    in_town(async |town| {
        let users: Vec<UserId> = (0..USERS).map(|at| user(&format!("user-{at}"))).collect();
        let lives = users.iter().map(|who| Box::pin(lives(town, who))).collect();
        let revoked = tokio::time::timeout(3 * HALT, together(lives)).await.unwrap();
        // Most are refused for the refund and not because they expired: otherwise this looked at nothing.
        assert!(revoked.iter().all(|&revoked| revoked > ROUNDS), "{revoked:?}");
    });
}

/// Buys, has tokens issued by several at once while the order is refunded, and looks at all tokens so far. Says how many were
/// refused because of a refund.
async fn lives(town: &Town, who: &UserId) -> usize {
    let mut handed_out: Vec<Issued> = Vec::new();
    let mut chat = Follower::default();
    let mut revoked = 0;
    for round in 0..ROUNDS {
        let (here, there) = if round % 2 == 0 { (&town.one, &town.other) } else { (&town.other, &town.one) };
        let order = town.buys(here, who).await;
        chat.catches_up(town, there, 1_000).await;
        let started = AtomicBool::new(false);
        let issuers = async {
            let issuers = (0..ISSUERS).map(|at| {
                let app = if at % 2 == 0 { here } else { there };
                Box::pin(issues_until_refused(town, app, who, &chat, &started))
            });
            together(issuers.collect()).await
        };
        let refunds = async {
            while !started.load(Ordering::Relaxed) {
                tokio::task::yield_now().await;
            }
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            town.refunds(there, &order).await;
        };
        let (issued, ()) = tokio::join!(issuers, refunds);
        handed_out.extend(issued.into_iter().flatten());
        chat.catches_up(town, here, 1_000).await;
        for issued in &handed_out {
            match town.verdict(&chat.denied, who, issued) {
                Err(Refusal::Revoked) => revoked += 1,
                Err(Refusal::Expired) => {}
                other => panic!("{other:?} in round {round} for {issued:?}"),
            }
        }
    }
    revoked
}

/// Each token that comes is accepted by a chat server that knows every refund before the purchase. The time goes on, so that
/// windows end and later expiries have to be recorded.
async fn issues_until_refused(
    town: &Town,
    app: &App,
    who: &UserId,
    chat: &Follower,
    started: &AtomicBool,
) -> Vec<Issued> {
    issues_until(town, app, who, (chat, "not_owned"), started).await
}

async fn issues_until(
    town: &Town,
    app: &App,
    who: &UserId,
    (chat, refusal): (&Follower, &str),
    started: &AtomicBool,
) -> Vec<Issued> {
    let mut all: Vec<Issued> = Vec::new();
    loop {
        match town.tokens(app, who).await {
            Ok(issued) => {
                for issued in &issued {
                    // Whoever waited long for a lock may get a token that has expired by the others' time.
                    let verdict = town.verdict(&chat.denied, who, issued);
                    assert!(matches!(verdict, Ok(_) | Err(Refusal::Expired)), "{verdict:?} for {issued:?}");
                }
                all.extend(issued);
                started.store(true, Ordering::Relaxed);
                town.passes(1);
            }
            Err(error) => {
                assert_eq!(error.code(), refusal, "{error:?}");
                return all;
            }
        }
    }
}

#[test]
fn after_each_takedown_every_token_of_everybody_is_refused_and_once_the_pack_is_back_new_ones_count() {
    in_town(async |town| {
        let users: Vec<UserId> = (0..USERS).map(|at| user(&format!("user-{at}"))).collect();
        for who in &users {
            town.buys(&town.one, who).await;
        }
        let (mut handed_out, mut chat, mut revoked) = (Vec::new(), Follower::default(), 0);
        for round in 0..ROUNDS {
            let started = AtomicBool::new(false);
            let issuers = users.iter().enumerate().map(|(at, who)| {
                let (app, chat, started) =
                    (if at % 2 == 0 { &town.one } else { &town.other }, &chat, &started);
                Box::pin(async move {
                    let issued = issues_until(town, app, who, (chat, "taken_down"), started).await;
                    issued.into_iter().map(|issued| (*who, issued)).collect::<Vec<_>>()
                })
            });
            let takes_down = async {
                while !started.load(Ordering::Relaxed) {
                    tokio::task::yield_now().await;
                }
                for _ in 0..round {
                    tokio::task::yield_now().await;
                }
                take_down(&town.one, Actor("operator"), town.pack, "a claim").await.unwrap();
            };
            let (issued, ()) = tokio::join!(together(issuers.collect()), takes_down);
            handed_out.extend(issued.into_iter().flatten());
            chat.catches_up(town, &town.other, 1_000).await;
            for (who, issued) in &handed_out {
                match town.verdict(&chat.denied, who, issued) {
                    Err(Refusal::Revoked) => revoked += 1,
                    Err(Refusal::Expired) => {}
                    other => panic!("{other:?} in round {round} for {issued:?}"),
                }
            }
            assert!(reinstate(&town.other, Actor("operator"), town.pack, "withdrawn").await.unwrap());
        }
        assert!(revoked > ROUNDS, "{revoked}");
    });
}
