//! The bridge's script, run against a made-up page and store.

use std::process::Command;

use serde_json::{Value, json};

/// What the buyer sees after each press of the button, when the store answers with these statuses and codes.
fn seen(answers: &[(u16, &str)]) -> Option<Value> {
    let answers: Vec<Value> = answers
        .iter()
        .map(|(status, code)| json!({ "status": status, "code": (!code.is_empty()).then_some(code) }))
        .collect();
    let root = env!("CARGO_MANIFEST_DIR");
    let run = Command::new("node")
        .args([format!("{root}/tests/pages/bridge.mjs"), format!("{root}/../templates/assets/bridge.js")])
        .arg(json!(answers).to_string())
        .output();
    let Ok(run) = run else {
        sticker_tests::left_out("the bridge's script", "`node` is not installed");
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(serde_json::from_slice(&run.stdout).unwrap())
}

#[test]
fn a_payment_that_the_store_refuses_is_told_and_not_asked_for_again() {
    for (status, code, text) in [
        (409, "wrong_account", "refused"),
        (409, "transaction_taken", "taken"),
        (422, "wrong_product", "refused"),
        (404, "not_found", "refused"),
    ] {
        let Some(seen) = seen(&[(status, code)]) else { return };
        let expected = json!([{ "shown": [text], "button": false, "payments": 1, "reloads": 0 }]);
        assert_eq!(seen, expected, "{code}");
    }
}

#[test]
fn the_page_is_loaded_again_once_the_order_has_changed() {
    for (status, code) in [(200, ""), (409, "pending"), (409, "revoked")] {
        let Some(seen) = seen(&[(status, code)]) else { return };
        assert_eq!((&seen[0]["reloads"], &seen[0]["button"]), (&json!(1), &json!(false)), "{code}");
    }
}

#[test]
fn a_payment_that_the_store_did_not_hear_of_is_handed_in_again_and_paid_once() {
    let answers = [(503, "busy"), (429, "rate_limited"), (401, "signed_out"), (200, "")];
    let Some(seen) = seen(&answers) else { return };
    let unheard = json!({ "shown": ["unheard"], "button": true, "payments": 1, "reloads": 0 });
    assert_eq!(seen.as_array().unwrap()[..3], [unheard.clone(), unheard.clone(), unheard]);
    assert_eq!((&seen[3]["payments"], &seen[3]["reloads"]), (&json!(1), &json!(1)));
}
