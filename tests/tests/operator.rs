//! An operator in trouble: what is broken is named, exit codes tell a refusal from an outage, and the commands that mend it work.

use sticker_tests::{Database, Finished, Store, Town, on_each_database, run, store_program};

#[test]
fn keys_whose_rows_are_damaged_are_named_and_replaced_with_the_commands_alone() {
    on_each_database(|database| {
        let mut store = Store::start(database);
        let does = |store: &Store, arguments: &[&str]| {
            let finished = store.operator().runs(arguments);
            assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
            finished.stdout
        };
        does(&store, &["keys", "add"]);
        does(&store, &["keys", "publish", "2"]);
        does(&store, &["keys", "sign-with", "2", "--without-waiting"]);
        does(&store, &["keys", "add"]);
        // The first verifies and the second signs: neither opens any more. What the third is nobody can tell.
        store.has_rows_altered("UPDATE token_keys SET sealed = NULL WHERE id < 3");
        store.has_rows_altered("UPDATE token_keys SET state = 'x' WHERE id = 3");

        let refused = store.operator().runs(&["check"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("key 3 is damaged") && !refused.stdout.contains("none yet"));
        let refused = store.operator().runs(&["keys", "list"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("key 3 is damaged") && refused.stderr.contains("keys destroy"));
        does(&store, &["keys", "destroy", "3"]);
        let refused = store.operator().runs(&["check"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("key 1 is damaged"), "{}", refused.stderr);
        for start in [&["serve"][..], &["keys", "export", "--out", "/dev/null"]] {
            let refused = store.operator().runs(start);
            assert_eq!(refused.code, 1, "{refused:?}");
            assert!(refused.stderr.contains("key 1 is damaged"), "{}", refused.stderr);
        }

        assert!(does(&store, &["keys", "list"]).contains("signing"));
        does(&store, &["admin", "clients", "list"]);
        does(&store, &["admin", "packs", "list"]);
        does(&store, &["keys", "destroy", "1", "--compromised", "its row is damaged"]);
        does(&store, &["keys", "add"]);
        does(&store, &["keys", "publish", "4"]);
        does(&store, &["keys", "retire", "4"]);
        does(&store, &["keys", "add"]);
        does(&store, &["keys", "publish", "5"]);
        does(&store, &["keys", "sign-with", "5", "--without-waiting"]);
        does(&store, &["keys", "destroy", "2", "--compromised", "its row is damaged"]);
        assert!(does(&store, &["check"]).contains("token keys: ok"));
        // The store went on with the keys that it had, and starts with those that it has now.
        store.is_away_while(|| {});
    });
}

#[test]
fn a_refund_works_where_the_row_of_a_key_is_damaged() {
    let town = Town::with_pack(Database::Sqlite, "tier1");
    let alice = town.chat.opens_store_for("alice");
    alice.buys(town.pack());
    let operator = town.store.operator();
    let orders = operator.runs(&["admin", "orders", "list", "--user", "alice"]).stdout;
    let order = orders.split_whitespace().next().unwrap();
    town.store.has_rows_altered("UPDATE token_keys SET sealed = NULL");
    let refunded = operator.runs(&["admin", "orders", "refund", order, "--reason", "a broken store"]);
    assert_eq!((refunded.code, refunded.stderr.as_str()), (0, ""));
    assert!(refunded.stdout.contains("revoked"), "{}", refunded.stdout);
}

#[test]
fn the_first_command_on_an_empty_database_leaves_a_store_that_starts() {
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = store_program();
        run(command.env("STICKER_STORE__DATA_DIR", folder.path()).args(arguments))
    };
    let checked = command(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("token keys: none yet"), "{}", checked.stdout);
    assert_eq!(command(&["migrate"]).code, 0);
    let checked = command(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("token keys: none yet"), "{}", checked.stdout);
    let added = command(&["keys", "add"]);
    assert!(added.stdout.starts_with("key 2 is made"), "{added:?}");
    let checked = command(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("token keys: ok (2)"), "{}", checked.stdout);
}

#[test]
fn exit_codes_tell_what_is_refused_from_what_cannot_be_reached() {
    let store = Store::start(Database::Sqlite);
    let master = store.data().join("master.key");
    let digits = std::fs::read_to_string(&master).unwrap();
    let with = |name: &str, value: &str, arguments: &[&str]| {
        let mut command = store_program();
        run(command.env("STICKER_STORE__DATA_DIR", store.data()).env(name, value).args(arguments))
    };
    let ended = |finished: &Finished, code: i32, says: &str| {
        assert_eq!(finished.code, code, "{finished:?}");
        assert!(finished.stderr.contains(says) && finished.stderr.contains("hint: "), "{}", finished.stderr);
    };
    for arguments in [&["keys", "list"][..], &["admin", "clients", "list"], &["check"], &["serve"]] {
        ended(&with("STICKER_STORE__TOKEN__MASTER_KEY", "zz", arguments), 1, "64 hexadecimal digits");
        ended(
            &with("STICKER_STORE__DATABASE__MAX_CONNECTIONS", "0", arguments),
            1,
            "database.max_connections",
        );
        ended(&with("STICKER_STORE__TOKEN__MASTER_KEY_FILE", "/none", arguments), 3, "/none");
        ended(&with("STICKER_LOG", "not a filter!!", arguments), 2, "error[log]");
    }
    ended(
        &with("STICKER_STORE__DATABASE__URL", "postgres://x@127.0.0.1:1/x", &["keys", "list"]),
        3,
        "database",
    );
    for arguments in [&["check"][..], &["serve"], &["keys", "list"], &["admin", "clients", "list"]] {
        // The digits of another store.
        let refused = with("STICKER_STORE__TOKEN__MASTER_KEY", &"ab".repeat(32), arguments);
        ended(&refused, 1, "another master key");
    }
    std::fs::write(&master, "nonsense").unwrap();
    ended(&store.operator().runs(&["keys", "list"]), 1, "master.key is not 64 hexadecimal digits");
    std::fs::write(&master, &digits).unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&master, readable).unwrap();
    ended(&store.operator().runs(&["keys", "list"]), 1, "others may read");
    ended(&store.operator().runs(&["check"]), 1, "others may read");
}

#[test]
fn an_earlier_key_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keyring.json"), "{}").unwrap();
    let mut command = store_program();
    let refused = run(command.env("STICKER_STORE__DATA_DIR", folder.path()).args(["keys", "list"]));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("others may read"), "{}", refused.stderr);
}
