//! The database goes away, is slow, breaks off a commit, or has no room left: nothing is lost, and it goes on by itself.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sticker_tests::{Answer, ChatUser, Database, Proxy, Town, Whose, left_out, on_each_database, until};

/// Runs a test on each database that is a server, with a proxy before it.
fn behind_a_proxy(test: impl Fn(&Town, &Proxy) + Sync) {
    on_each_database(|database| {
        let Database::Server { name, url } = database else { return };
        let proxy = Proxy::before(&url);
        let behind = Database::Server { name, url: proxy.url().to_owned() };
        // Without the worker, whose commits are others than the one that is to be cut.
        let town = Town::with_settings(behind, "tier1", &[("STICKER_STORE__WORKER__IN_SERVE", "false")]);
        test(&town, &proxy);
    });
}

fn order(town: &Town, user: &ChatUser) -> Value {
    user.orders(town.pack(), "sandbox").expect(201).json()
}

fn pays(user: &ChatUser, order: &Value) -> Answer {
    user.posts(&ChatUser::receipts_of(order), &json!({ "transaction": format!("t-{}", order["id"]) }))
}

/// Grants that count, and payments.
fn bought(town: &Town) -> [i64; 2] {
    let counted = "SELECT (SELECT COUNT(*) FROM grants WHERE active = 1), (SELECT COUNT(*) FROM purchases)";
    town.store.has_numbers(counted)
}

#[test]
fn a_database_that_is_away_is_503_with_retry_after_and_once_it_is_back_the_same_receipt_is_settled() {
    behind_a_proxy(|town, proxy| {
        let alice = town.chat.opens_store_for("alice");
        let order = order(town, &alice);
        proxy.is_away();
        for _ in 0..2 {
            let answer = pays(&alice, &order).expect(503);
            assert_eq!(answer.error_code(), "unavailable", "{answer:?}");
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
        assert_eq!(town.chat.gets("/health/ready").status, 503);
        proxy.works_again();
        until("the receipt is settled", || pays(&alice, &order).status == 200);
        assert_eq!(bought(town), [1, 1]);
    });
}

#[test]
fn a_commit_that_is_cut_gives_one_grant_once_the_receipt_is_handed_in_again() {
    behind_a_proxy(|town, proxy| {
        for (round, whose) in [Whose::TheStores, Whose::TheDatabases].into_iter().cycle().take(10).enumerate()
        {
            let alice = town.chat.opens_store_for(&format!("alice-{round}"));
            let order = order(town, &alice);
            proxy.cuts_the_next_commit(whose);
            let cut = pays(&alice, &order);
            assert!(proxy.has_cut(), "{cut:?}");
            assert_eq!((cut.status.as_u16(), cut.error_code().as_str()), (503, "unavailable"), "{whose:?}");
            let again = pays(&alice, &order).expect(200).json();
            assert_eq!(again["state"], "granted", "{whose:?}");
            let all = i64::try_from(round).unwrap() + 1;
            assert_eq!(bought(town), [all, all], "{whose:?}");
        }
    });
}

#[test]
fn a_slow_database_is_slow_and_nothing_else() {
    behind_a_proxy(|town, proxy| {
        let alice = town.chat.opens_store_for("alice");
        proxy.answers_after(Duration::from_millis(20));
        let order = order(town, &alice);
        assert_eq!(pays(&alice, &order).expect(200).json()["state"], "granted");
        proxy.works_again();
        assert_eq!(bought(town), [1, 1]);
    });
}

#[test]
fn a_full_disk_is_503_and_writes_nothing_half_and_with_room_again_the_same_receipts_are_settled() {
    let Some(disk) = SmallDisk::new() else { return };
    let url = format!("sqlite://{}?mode=rwc", disk.folder.path().join("store.sqlite").display());
    let town = Town::with_pack(Database::Server { name: "SQLite", url }, "tier1");
    let buyers: Vec<(ChatUser, Value)> = (0..20)
        .map(|at| {
            let user = town.chat.opens_store_for(&format!("user-{at}"));
            let order = order(&town, &user);
            (user, order)
        })
        .collect();
    disk.is_filled();
    let answers: Vec<Answer> = buyers.iter().map(|(user, order)| pays(user, order)).collect();
    let settled = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(
            (answer.status.as_u16(), answer.error_code().as_str()),
            (503, "storage_full"),
            "{answer:?}"
        );
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    }
    assert!(settled < buyers.len(), "the disk was not full");
    disk.has_room();
    let settled = i64::try_from(settled).unwrap();
    assert_eq!(bought(&town), [settled, settled]);
    for (user, order) in &buyers {
        assert_eq!(pays(user, order).expect(200).json()["state"], "granted");
    }
    let all = i64::try_from(buyers.len()).unwrap();
    assert_eq!(bought(&town), [all, all]);
    let verified = town.store.operator().runs(&["admin", "audit", "verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    drop(town);
}

/// A file system of 16 MiB in memory; gone when dropped.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Where mounting is not permitted, that is said.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { folder }),
            _ => {
                left_out("a full disk", "a small file system can be mounted by root alone");
                None
            }
        }
    }

    fn is_filled(&self) {
        let mut file = File::create(self.folder.path().join("filler")).unwrap();
        for size in [64 << 10, 4 << 10, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
    }

    fn has_room(&self) {
        std::fs::remove_file(self.folder.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open keeps it.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
