//! `sticker-store receipt inspect`, as support and conformance suites call it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use sticker_tests::apple::{AppleAuthority, BUNDLE_ID};
use sticker_tests::{Finished, run, store_program};
use tempfile::TempDir;

use super::{NOW, ORDER, PRODUCT};

struct Desk {
    authority: AppleAuthority,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { authority: AppleAuthority::new(), folder: tempfile::tempdir().unwrap() };
        desk.file("root.cer", desk.authority.root());
        desk.file("root.pem", desk.authority.root_pem());
        desk
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn root(&self) -> String {
        self.folder.path().join("root.cer").display().to_string()
    }

    /// The usual arguments with a kind and a file, and more that come after them.
    fn inspects(&self, kind: &str, file: &str, more: &[&str]) -> Finished {
        let (root, at) = (self.root(), NOW.0.to_string());
        let usual = ["--root", &root, "--bundle-id", BUNDLE_ID, "--environment", "Sandbox", "--at", &at];
        inspects(&[&["--kind", kind], &usual[..], more, &[file]].concat())
    }
}

fn inspects(arguments: &[&str]) -> Finished {
    run(store_program().args(["receipt", "inspect", "--provider", "apple"]).args(arguments))
}

fn transaction() -> Value {
    AppleAuthority::transaction("2000000001", ORDER, PRODUCT)
}

fn shown(finished: &Finished) -> Value {
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn claims_are_printed_as_json_for_each_kind() {
    let desk = Desk::new();
    let signed = |name: &str, payload: &Value| desk.file(name, desk.authority.signs(payload));
    let file = signed("transaction", &transaction());
    assert_eq!(shown(&desk.inspects("transaction", &file, &[])), transaction());

    let renewal = json!({ "environment": "Sandbox", "autoRenewStatus": 0, "of_next_year": [1, null] });
    assert_eq!(shown(&desk.inspects("renewal", &signed("renewal", &renewal), &[])), renewal);

    let notification = desk.authority.notification("REFUND", "n-1", &transaction());
    let mut decoded = notification.clone();
    decoded["data"]["signedTransactionInfo"] = transaction();
    let file = signed("notification", &notification);
    assert_eq!(shown(&desk.inspects("notification", &file, &["--app-id", "1234"])), decoded);
    let body = desk.authority.notifies("REFUND", "n-1", &transaction());
    let file = desk.file("body", serde_json::to_string_pretty(&body).unwrap());
    assert_eq!(shown(&desk.inspects("notification", &file, &[]))["notificationType"], "REFUND");
}

#[test]
fn an_end_of_line_roots_in_pem_several_roots_and_the_standard_input_are_fine() {
    let desk = Desk::new();
    let jws = desk.authority.signs(&transaction());
    for end in ["\n", "\r\n"] {
        let file = desk.file("transaction", format!("{jws}{end}"));
        assert_eq!(shown(&desk.inspects("transaction", &file, &[])), transaction());
    }
    let file = desk.file("transaction", format!("{jws}\n"));
    let (pem, other) = (
        desk.folder.path().join("root.pem").display().to_string(),
        desk.file("other.cer", AppleAuthority::new().root()),
    );
    let at = NOW.0.to_string();
    let usual =
        ["--kind", "transaction", "--bundle-id", BUNDLE_ID, "--environment", "Sandbox", "--at", &at, &file];
    assert_eq!(shown(&inspects(&[&usual[..], &["--root", &pem]].concat())), transaction());
    assert_eq!(shown(&inspects(&[&usual[..], &["--root", &other, "--root", &pem]].concat())), transaction());
    // Without --root it is Apple's, which did not sign this.
    assert_eq!(inspects(&usual).stdout, "bad_chain\n");
    assert_eq!(inspects(&[&usual[..], &["--root", &other]].concat()).stdout, "bad_chain\n");

    let mut command = store_program();
    command
        .args(["receipt", "inspect", "--provider", "apple", "--kind", "transaction", "--root", &desk.root()])
        .args(["--bundle-id", BUNDLE_ID, "--environment", "Sandbox", "--at", &at, "-"])
        .stdin(Stdio::from(fs::File::open(&file).unwrap()));
    let output = command.output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), transaction());
}

#[test]
fn a_refusal_is_the_code_alone_on_the_standard_output_and_exit_code_1() {
    let desk = Desk::new();
    let file = |name: &str, payload: &Value| desk.file(name, desk.authority.signs(payload));
    let good = file("good", &transaction());
    let (mut other_app, mut production) = (transaction(), transaction());
    other_app["bundleId"] = "com.example.other".into();
    production["environment"] = "Production".into();
    let altered = desk.authority.signs(&transaction()).replacen(".ey", ".eyJhIjoxLCJ", 1);
    let cases = [
        ("wrong_app", desk.inspects("transaction", &file("app", &other_app), &[])),
        ("wrong_environment", desk.inspects("transaction", &file("world", &production), &[])),
        ("bad_signature", desk.inspects("transaction", &desk.file("altered", altered), &[])),
        (
            "bad_chain",
            desk.inspects("transaction", &desk.file("s", AppleAuthority::new().signs(&transaction())), &[]),
        ),
        ("malformed", desk.inspects("transaction", &desk.file("text", "text"), &[])),
        ("malformed", desk.inspects("transaction", &desk.file("empty", ""), &[])),
        ("malformed", desk.inspects("transaction", &desk.file("bytes", [0xff, 0xfe]), &[])),
        ("malformed", desk.inspects("transaction", &desk.file("long", vec![b'a'; 1 << 20]), &[])),
        ("malformed", desk.inspects("notification", &desk.file("json", "{}"), &[])),
        ("malformed", desk.inspects("notification", &good, &[])),
    ];
    for (code, finished) in cases {
        assert_eq!((finished.code, finished.stdout), (1, format!("{code}\n")));
        assert!(finished.stderr.starts_with(&format!("error[{code}]: ")), "{}", finished.stderr);
        assert!(finished.stderr.contains("\n  hint: "), "{}", finished.stderr);
    }
    let expired = desk.inspects("transaction", &good, &["--at", "0"]);
    assert_eq!(expired.code, 2, "--at is given twice");
    let (root, past) = (desk.root(), "1000000000");
    let early = inspects(&[
        "--kind",
        "transaction",
        "--root",
        &root,
        "--bundle-id",
        BUNDLE_ID,
        "--environment",
        "Sandbox",
        "--at",
        past,
        &good,
    ]);
    assert_eq!((early.code, early.stdout.as_str()), (1, "bad_chain\n"));
    assert!(early.stderr.contains("not valid yet"), "{}", early.stderr);
}

#[test]
fn wrong_usage_is_2_and_what_cannot_be_read_is_3() {
    let desk = Desk::new();
    let good = desk.file("good", desk.authority.signs(&transaction()));
    let root = desk.root();
    let missing = desk.folder.path().join("missing").display().to_string();
    let all =
        ["--kind", "transaction", "--root", &root, "--bundle-id", BUNDLE_ID, "--environment", "Sandbox"];
    for (at, other) in [(1, "receipt"), (7, "sandbox"), (7, "Xcode"), (3, missing.as_str())] {
        let mut arguments = all;
        arguments[at] = other;
        let finished = inspects(&[&arguments[..], &[&good]].concat());
        assert_eq!((finished.code, finished.stdout.as_str()), (if at == 3 { 3 } else { 2 }, ""), "{other}");
    }
    for leave_out in [0, 4, 6] {
        let arguments = [&all[..leave_out], &all[leave_out + 2..], &[good.as_str()]].concat();
        assert_eq!(inspects(&arguments).code, 2, "without {}", all[leave_out]);
    }
    assert_eq!(inspects(&all).code, 2, "without a file");
    assert_eq!(inspects(&[&all[..], &[&missing]].concat()).code, 3);
    assert_eq!(inspects(&[&all[..], &[desk.folder.path().to_str().unwrap()]].concat()).code, 3);
    let no_root = desk.file("no-root", "text");
    let finished = inspects(&[&all[..2], &["--root", &no_root], &all[4..], &[good.as_str()]].concat());
    assert_eq!((finished.code, finished.stdout.as_str()), (1, ""));
    assert!(Path::new(&good).exists());
}
