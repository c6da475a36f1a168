//! Several orders that give one user the same pack.

use sticker_protocol::token::UserId;
use sticker_store::app::App;
use sticker_store::library;
use sticker_store::purchase::entity::order;
use sticker_store::purchase::order::of;
use sticker_store::purchase::state::{Problem, State};

use crate::race::together;
use crate::town::{HALT, Town, in_town, user};

#[test]
fn a_second_payment_for_a_pack_that_is_owned_waits_and_takes_over_when_the_first_is_refunded() {
    in_town(async |town| {
        let (app, who) = (&town.one, user("owner"));
        let (first, second) = (town.orders(app, &who).await, town.orders(app, &who).await);
        assert_eq!(town.pays(app, &who, &first).await.state, State::Granted);
        let waiting = town.pays(app, &who, &second).await;
        assert_eq!((waiting.state, waiting.problem), (State::Paid, Some(Problem::AlreadyOwned)));
        let issued = town.tokens(app, &who).await.unwrap();

        town.refunds(app, &first.id).await;
        let now = of(app, &who, &second.id).await.unwrap();
        assert_eq!((now.state, now.problem), (State::Granted, None));
        // Nobody notices: what was issued goes on.
        assert!(issued.iter().all(|issued| town.own_verdict(app, &who, issued).is_ok()));

        town.refunds(app, &second.id).await;
        assert!(!owns(town, app, &who).await);
        assert!(issued.iter().all(|issued| town.own_verdict(app, &who, issued).is_err()));
    });
}

const USERS: usize = 4;
const ROUNDS: usize = 12;

#[test]
fn a_payment_that_comes_while_another_one_is_refunded_gives_the_pack_whichever_is_first() {
    in_town(async |town| {
        let users: Vec<UserId> = (0..USERS).map(|at| user(&format!("racer-{at}"))).collect();
        let races = users.iter().map(|who| Box::pin(races(town, who))).collect();
        tokio::time::timeout(3 * HALT, together(races)).await.unwrap();
    });
}

async fn races(town: &Town, who: &UserId) {
    for round in 0..ROUNDS {
        let (here, there) = if round % 2 == 0 { (&town.one, &town.other) } else { (&town.other, &town.one) };
        let (first, second) = (town.orders(here, who).await, town.orders(here, who).await);
        town.pays(here, who, &first).await;
        let ((), paid) = tokio::join!(town.refunds(here, &first.id), town.pays(there, who, &second));
        assert!(matches!(paid.state, State::Paid | State::Granted), "{paid:?}");
        let now: order::Model = of(here, who, &second.id).await.unwrap();
        assert_eq!((now.state, now.problem), (State::Granted, None), "in round {round}");
        assert!(owns(town, here, who).await, "in round {round}");
        town.refunds(there, &second.id).await;
        assert!(!owns(town, here, who).await, "in round {round}");
    }
}

async fn owns(town: &Town, app: &App, who: &UserId) -> bool {
    library::query::owns(&app.db, who, town.pack).await.unwrap()
}
