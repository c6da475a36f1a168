//! Promotions: a number of packs, a window of time, one to each user.

use axum::http::StatusCode;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, Set,
};
use serde_json::{Value, json};
use sticker_store::audit::Actor;
use sticker_store::library::entity as grant;
use sticker_store::purchase::code::Code;
use sticker_store::purchase::entity::{order, promotion, promotion_code};
use sticker_store::purchase::order::{Wish, make};
use sticker_store::purchase::promotion::desk::{self, Entry, Made, Plan};
use sticker_store::purchase::state::State;
use sticker_store::purchase::support::stuck;
use sticker_store::purchase::word::Provider;
use sticker_store::web::error::Error;

use crate::people::{Person, visits};
use crate::town::{START, Town, in_town};

const OPERATOR: Actor<'_> = Actor("operator");

/// An event pack for a day, as many as these.
fn plan(town: &Town, at_most: Option<u32>) -> Plan<'static> {
    Plan {
        name: "spring",
        pack: town.pack,
        at_most,
        starts_at: START * 1_000,
        ends_at: (START + 86_400) * 1_000,
        entry: Entry::Open,
    }
}

async fn begins(town: &Town, plan: Plan<'_>) -> Made {
    desk::add(&town.one, OPERATOR, plan).await.unwrap()
}

impl Person {
    async fn takes_part(&self, town: &Town) -> crate::town::Answer {
        self.posts("/v1/orders", &json!({ "pack_id": town.pack, "provider": "promotion" })).await
    }
}

async fn used(town: &Town) -> i32 {
    promotion::Entity::find().one(&town.one.db).await.unwrap().unwrap().used
}

async fn grants(town: &Town) -> u64 {
    grant::Entity::find().filter(grant::Column::Active.eq(1)).count(&town.one.db).await.unwrap()
}

#[test]
fn two_hundred_users_at_once_get_exactly_the_fifty_packs_that_there_are() {
    in_town(async |town| {
        begins(town, plan(town, Some(50))).await;
        let mut running = tokio::task::JoinSet::new();
        for at in 0..200 {
            let app = if at % 2 == 0 { &town.one } else { &town.other };
            let (person, pack) = (visits(app, &format!("user-{at}")).await, town.pack);
            running.spawn(async move {
                let wish = json!({ "pack_id": pack, "provider": "promotion" });
                person.posts("/v1/orders", &wish).await
            });
        }
        let (mut given, mut refused) = (0, 0);
        while let Some(answer) = running.join_next().await {
            let answer = answer.unwrap();
            if answer.status == StatusCode::CREATED {
                assert_eq!(answer.json()["state"], "granted", "{}", answer.text);
                given += 1;
            } else {
                assert_eq!(answer.error_code(), "promotion_used_up", "{}", answer.text);
                refused += 1;
            }
        }
        assert_eq!((given, refused, used(town).await, grants(town).await), (50, 150, 50, 50));
    });
}

#[test]
fn a_user_who_asks_many_times_at_once_gets_one() {
    in_town(async |town| {
        begins(town, plan(town, Some(50))).await;
        let mut running = tokio::task::JoinSet::new();
        for at in 0..16 {
            let app = if at % 2 == 0 { &town.one } else { &town.other };
            let (person, pack) = (visits(app, "alice").await, town.pack);
            running.spawn(async move {
                let wish = json!({ "pack_id": pack, "provider": "promotion" });
                person.posts("/v1/orders", &wish).await.json()["id"].clone()
            });
        }
        let ids: std::collections::HashSet<Value> = running.join_all().await.into_iter().collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!((used(town).await, grants(town).await), (1, 1));
    });
}

#[test]
fn an_event_is_on_the_packs_page_while_it_runs_and_has_some_left() {
    in_town(async |town| {
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let page = format!("/packs/{}", town.slug);
        let shows = async |who: &Person| who.gets(&page).await.text.contains("name=\"event\"");
        assert!(!shows(&alice).await);
        begins(town, plan(town, Some(1))).await;
        assert!(shows(&alice).await && shows(&bob).await);
        let form = format!("pack={}&idempotency_key=k&event=1", town.slug);
        let taken = alice.submits("/orders", &form).await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text);
        assert!(alice.gets(&taken.headers["location"]).await.text.contains("The pack is yours"));
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        assert!(!shows(&bob).await);
        let late = bob.submits("/orders", &form).await;
        let told = format!("{page}?missed=promotion_used_up");
        assert_eq!((late.status, &late.headers["location"]), (StatusCode::SEE_OTHER, &told));
        assert!(bob.gets(&told).await.text.contains("All packs of this promotion are gone"));
        assert_eq!(bob.takes_part(town).await.error_code(), "promotion_used_up");
    });
}

#[test]
fn a_promotion_gives_from_its_first_millisecond_until_before_its_end_and_none_once_it_was_ended() {
    in_town(async |town| {
        let code = Entry::Word("Spring-Time");
        let window =
            Plan { starts_at: (START + 10) * 1_000, ends_at: (START + 20) * 1_000, ..plan(town, None) };
        begins(town, Plan { entry: code, ..window }).await;
        begins(town, Plan { name: "other", ..window }).await;
        let [early, first, last, late, ended] =
            [9, 10, 19, 20, 21].map(|second| async move { visits(&town.one, &format!("at-{second}")).await });
        let (early, first, last) = (early.await, first.await, last.await);
        town.passes(9);
        let too_early = early.redeems("springtime").await;
        assert_eq!(
            (too_early.status, too_early.error_code().as_str()),
            (StatusCode::CONFLICT, "promotion_not_begun")
        );
        assert_eq!(early.takes_part(town).await.error_code(), "promotion_over");
        town.passes(1);
        assert_eq!(
            first.redeems("spring time").await.json(),
            json!({ "kind": "promotion", "pack_id": town.pack })
        );
        town.passes(9);
        assert_eq!(last.takes_part(town).await.status, StatusCode::CREATED);
        town.passes(1);
        assert_eq!(late.await.redeems("springtime").await.error_code(), "promotion_over");

        let again = Plan { name: "again", starts_at: 0, ends_at: (START + 90) * 1_000, ..window };
        begins(town, again).await;
        let stopped = desk::end(&town.other, OPERATOR, "again").await.unwrap();
        assert_eq!(desk::end(&town.one, OPERATOR, "again").await.unwrap(), stopped);
        assert_eq!(ended.await.takes_part(town).await.error_code(), "promotion_over");
        assert_eq!(grants(town).await, 2);
    });
}

#[test]
fn a_word_gives_to_everybody_who_knows_it_once_and_counts_nobody_who_has_the_pack() {
    in_town(async |town| {
        begins(town, Plan { entry: Entry::Word("여름-Oil"), ..plan(town, Some(2)) }).await;
        let [owner, alice, bob, carol] =
            ["owner", "alice", "bob", "carol"].map(|name| async move { visits(&town.one, name).await });
        let owner = owner.await;
        town.buys(&town.one, &owner.id).await;
        assert_eq!(owner.redeems("여름OIL").await.error_code(), "already_owned");
        assert_eq!(used(town).await, 0);
        let alice = alice.await;
        for typed in ["여름oil", "여름 0IL"] {
            assert_eq!(alice.redeems(typed).await.status, StatusCode::OK);
        }
        assert_eq!(bob.await.redeems("여름-oil").await.status, StatusCode::OK);
        assert_eq!(carol.await.redeems("여름-oil").await.error_code(), "promotion_used_up");
        assert_eq!(used(town).await, 2);
    });
}

#[test]
fn a_code_of_many_gives_once_and_a_user_has_one_of_them() {
    in_town(async |town| {
        let made = begins(town, Plan { entry: Entry::Codes(3), ..plan(town, None) }).await;
        let codes: Vec<&str> = made.codes.iter().map(Code::expose).collect();
        assert_eq!(codes.len(), 3);
        let rows = promotion_code::Entity::find().all(&town.one.db).await.unwrap();
        assert!(rows.len() == 3 && rows.iter().all(|row| !codes.contains(&row.code_hash.as_str())));
        let (alice, bob) = (visits(&town.one, "alice").await, visits(&town.other, "bob").await);
        let given = alice.redeems(codes[0]).await;
        assert_eq!(given.status, StatusCode::OK, "{}", given.text);
        assert_eq!(alice.redeems(codes[0]).await.json(), given.json());
        assert_eq!(bob.redeems(codes[0]).await.error_code(), "code_used");
        assert_eq!(alice.redeems(codes[1]).await.error_code(), "promotion_used");
        assert_eq!(bob.redeems(codes[1]).await.status, StatusCode::OK);
        assert_eq!((used(town).await, grants(town).await), (2, 2));
        // Codes alone open it.
        assert_eq!(visits(&town.one, "carol").await.takes_part(town).await.error_code(), "promotion_over");
    });
}

#[test]
fn of_twenty_users_with_one_code_at_the_same_moment_one_gets_the_pack() {
    in_town(async |town| {
        let made = begins(town, Plan { entry: Entry::Codes(1), ..plan(town, None) }).await;
        let mut running = tokio::task::JoinSet::new();
        for at in 0..20 {
            let app = if at % 2 == 0 { &town.one } else { &town.other };
            let (person, code) = (visits(app, &format!("user-{at}")).await, made.codes[0].clone());
            running.spawn(async move { person.redeems(code.expose()).await });
        }
        let answers = running.join_all().await;
        let given = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        let used_before = answers
            .iter()
            .filter(|it| it.status == StatusCode::CONFLICT)
            .all(|it| it.error_code() == "code_used");
        assert!(given == 1 && used_before, "{answers:?}");
        assert_eq!((used(town).await, grants(town).await), (1, 1));
    });
}

#[test]
fn after_a_crash_between_order_and_grant_the_next_attempt_of_the_user_gives_the_pack() {
    in_town(async |town| {
        begins(town, plan(town, Some(1))).await;
        let alice = visits(&town.one, "alice").await;
        let taken = alice.takes_part(town).await.json();
        let id = taken["id"].as_str().unwrap();
        // As it is before the order is settled: what the settling wrote is not there.
        for_nothing(town, id).await;
        assert_eq!(alice.owns().await, None);
        let page = alice.gets(&format!("/orders/{id}")).await.text;
        assert!(page.contains(&format!("/orders/{id}/pay")), "{page}");
        let pack = alice.gets(&format!("/packs/{}", town.slug)).await.text;
        assert!(pack.contains(&format!("href=\"/orders/{id}\"")), "{pack}");
        town.passes(61);
        let unfinished = stuck(&town.one).await.unwrap().unfinished;
        assert_eq!(unfinished.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), [id]);
        let again = visits(&town.other, "alice").await.takes_part(town).await;
        assert_eq!((again.status, &again.json()), (StatusCode::CREATED, &taken));
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        for_nothing(town, id).await;
        assert_eq!(alice.submits(&format!("/orders/{id}/pay"), "").await.status, StatusCode::SEE_OTHER);
        assert_eq!(alice.owns().await.as_deref(), Some("own"));
        assert_eq!((used(town).await, grants(town).await), (1, 1));
    });
}

/// Takes away every row that settling an order writes.
async fn for_nothing(town: &Town, id: &str) {
    use sticker_store::purchase::entity::{inbox, purchased, snapshot};
    let db = &town.one.db;
    grant::Entity::delete_many().filter(grant::Column::OrderId.eq(id)).exec(db).await.unwrap();
    inbox::Entity::delete_many().filter(inbox::Column::OrderId.eq(id)).exec(db).await.unwrap();
    purchased::Entity::delete_many().filter(purchased::Column::OrderId.eq(id)).exec(db).await.unwrap();
    snapshot::Entity::delete_many().filter(snapshot::Column::OrderId.eq(id)).exec(db).await.unwrap();
    let row = order::ActiveModel { id: Set(id.to_owned()), state: Set(State::Created), ..Default::default() };
    row.update(db).await.unwrap();
}

#[test]
fn who_lost_the_pack_by_a_refund_has_taken_part() {
    in_town(async |town| {
        begins(town, plan(town, Some(5))).await;
        let alice = visits(&town.one, "alice").await;
        let taken = alice.takes_part(town).await.json();
        town.refunds(&town.other, taken["id"].as_str().unwrap()).await;
        let again = alice.takes_part(town).await;
        assert_eq!((again.status, again.error_code().as_str()), (StatusCode::CONFLICT, "promotion_used"));
        assert_eq!((used(town).await, grants(town).await), (1, 0));
        // The event is over for them, and the shop is open.
        let page = format!("/packs/{}", town.slug);
        let offered = alice.gets(&page).await.text;
        assert!(!offered.contains("name=\"event\"") && offered.contains("action=\"/orders\""), "{offered}");
        let form = format!("pack={}&idempotency_key=k&event=1", town.slug);
        let told = alice.submits("/orders", &form).await.headers["location"].clone();
        assert_eq!(told, format!("{page}?missed=promotion_used"));
        assert!(alice.gets(&told).await.text.contains("You took part in this promotion before"));
        let bought = alice.orders(town, None).await;
        assert_eq!(alice.pays(&bought).await["state"], "granted");
    });
}

#[test]
fn a_promotion_is_no_gift_and_the_same_key_is_the_same_order() {
    in_town(async |town| {
        begins(town, plan(town, None)).await;
        let alice = visits(&town.one, "alice").await;
        let wish = json!({ "pack_id": town.pack, "provider": "promotion", "gift": "code" });
        assert_eq!(alice.posts("/v1/orders", &wish).await.error_code(), "not_a_gift");
        let wish = Wish::new(town.pack, Provider::Promotion).once("k");
        let first = make(&town.one, &alice.id, wish).await.unwrap();
        assert_eq!(make(&town.other, &alice.id, wish).await.unwrap(), first);
        let other = Wish::new(town.pack, Provider::Sandbox).once("k");
        let refused: Result<_, Error> = make(&town.one, &alice.id, other).await;
        assert_eq!(refused.unwrap_err().code(), "idempotency_key_reused");
    });
}

#[test]
fn a_plan_that_makes_no_sense_is_refused_and_writes_nothing() {
    in_town(async |town| {
        let good = plan(town, Some(1));
        let refused = async |plan: Plan<'_>| desk::add(&town.one, OPERATOR, plan).await.unwrap_err().code();
        for wrong in [
            Plan { name: " ", ..good },
            Plan { at_most: Some(0), ..good },
            Plan { at_most: Some(u32::MAX), ..good },
            Plan { ends_at: good.starts_at, ..good },
            Plan { starts_at: 0, ends_at: START * 1_000, ..good },
            Plan { entry: Entry::Word("abc"), ..good },
            Plan { entry: Entry::Codes(0), ..good },
            Plan { entry: Entry::Codes(100_001), ..good },
        ] {
            assert_eq!(refused(wrong).await, "invalid_promotion", "{wrong:?}");
        }
        assert_eq!(promotion::Entity::find().count(&town.one.db).await.unwrap(), 0);
        begins(town, Plan { entry: Entry::Word("SUMMER"), ..good }).await;
        assert_eq!(refused(good).await, "promotion_exists");
        assert_eq!(refused(Plan { name: "two", entry: Entry::Word("sum mer"), ..good }).await, "word_taken");
    });
}
