//! What an operator sees.

use sticker_tests::{Store, on_each_database};

#[test]
fn an_operator_verifies_the_trace_keeps_its_head_and_is_told_of_the_row_that_was_altered() {
    on_each_database(|database| {
        let store = Store::start(database);
        let operator = store.operator();
        // Commands are processes of their own: four at once, beside the store's.
        std::thread::scope(|threads| {
            for name in ["a", "b", "c", "d"] {
                let operator = &operator;
                threads.spawn(move || operator.admits_designer(name));
            }
        });
        // The first key, the prices, and four clients.
        let verified = operator.runs(&["admin", "audit", "verify"]);
        assert_eq!((verified.code, verified.stderr.as_str()), (0, ""));
        let (whole, head) = verified.stdout.trim().split_once('\n').unwrap();
        assert_eq!(whole, "6 rows are whole");
        let head = head.strip_prefix("head ").unwrap();
        assert!(head.starts_with("6:"), "{head}");
        assert_eq!(operator.runs(&["admin", "audit", "verify", "--head", head]).code, 0);
        assert_eq!(operator.runs(&["admin", "audit", "verify", "--head", "nonsense"]).code, 2);

        let listed =
            operator.runs(&["admin", "audit", "list", "--action", "client_add", "--limit", "2", "--json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        let rows = listed["rows"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["seq"].as_i64()).collect::<Vec<_>>(), [Some(6), Some(5)]);
        let (subject, id) = (rows[0]["subject"].as_str().unwrap(), rows[0]["id"].as_str().unwrap());
        let shown = operator.runs(&["admin", "audit", "list", "--subject", subject, "--actor", "operator"]);
        assert_eq!(shown.stdout.lines().count(), 1);
        assert!(shown.stdout.contains("client_add") && shown.stdout.contains(id), "{}", shown.stdout);
        assert_eq!(operator.runs(&["admin", "audit", "list", "--actor", "nobody"]).stdout, "");

        store.has_rows_altered("UPDATE audit SET actor = 'nobody' WHERE seq = 6");
        let found = operator.runs(&["admin", "audit", "verify"]);
        assert_eq!(found.code, 1);
        assert!(found.stdout.starts_with(&format!("altered: row 6 ({id}) ")), "{}", found.stdout);
        assert!(found.stderr.contains("chain_broken"), "{}", found.stderr);
        store.has_rows_altered("DELETE FROM audit WHERE seq = 6");
        let before = "SELECT hash FROM audit WHERE seq = 5";
        store.has_rows_altered(&format!("UPDATE audit_head SET seq = 5, hash = ({before})"));
        assert_eq!(operator.runs(&["admin", "audit", "verify"]).code, 0, "whole, and shorter");
        let found = operator.runs(&["admin", "audit", "verify", "--head", head]);
        assert_eq!(found.code, 1);
        assert!(found.stdout.starts_with("rolled_back: "), "{}", found.stdout);
        assert!(!operator.runs(&["admin", "audit", "list"]).stdout.contains("chain_takes_over"));
    });
}
