//! `sticker-store check`, as an operator calls it before the start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use sticker_tests::apple::{AppStore, AppleAuthority, BUNDLE_ID};
use sticker_tests::{Finished, run, store_program};

fn checks(apple: &AppStore, changes: &[(&str, &str)]) -> Finished {
    let data = tempfile::tempdir().unwrap();
    let mut program = store_program();
    program.arg("check").envs(apple.settings());
    program.env("STICKER_STORE__DATA_DIR", data.path().join("data"));
    for (name, value) in changes {
        program.env(format!("STICKER_STORE__PURCHASE__APPLE__{name}"), value);
    }
    run(&mut program)
}

#[test]
fn the_app_and_its_world_are_named_and_what_its_products_have_to_be() {
    let apple = AppStore::start(&Arc::new(AppleAuthority::new()));
    let by_tier = checks(&apple, &[]);
    assert_eq!((by_tier.code, by_tier.stderr.as_str()), (0, ""));
    assert!(by_tier.stdout.contains(&format!("apple: ok ({BUNDLE_ID}, Sandbox)\n")), "{}", by_tier.stdout);
    assert!(by_tier.stdout.contains("has to be Consumable"), "{}", by_tier.stdout);
    let by_pack = checks(&apple, &[("PRODUCT", "sticker_{pack}")]);
    assert!(by_pack.stdout.contains("apple: ok") && !by_pack.stdout.contains("Consumable"), "{by_pack:?}");
    let off = checks(&apple, &[("ENABLED", "false")]);
    assert!(off.code == 0 && !off.stdout.contains("apple"), "{off:?}");
}

#[test]
fn a_key_or_a_root_is_refused_with_1_and_what_cannot_be_read_with_3() {
    let apple = AppStore::start(&Arc::new(AppleAuthority::new()));
    let folder = tempfile::tempdir().unwrap();
    let no_root = folder.path().join("no-root").display().to_string();
    fs::write(&no_root, "text").unwrap();
    let missing = folder.path().join("missing").display().to_string();
    let refused = |changes: &[(&str, &str)], code| {
        let refused = checks(&apple, changes);
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(
            refused.stderr.starts_with("error[apple]: ") && !refused.stdout.contains("apple"),
            "{refused:?}"
        );
    };
    refused(&[("ROOTS", &no_root)], 1);
    refused(&[("ROOTS", &missing)], 3);
    refused(&[("KEY_FILE", &missing)], 3);
    fs::set_permissions(apple.key_file(), Permissions::from_mode(0o640)).unwrap();
    refused(&[], 1);
}
