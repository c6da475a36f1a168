//! Completions and manual pages: of every command, for every shell.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

#[path = "desk/around.rs"]
mod around;
#[path = "desk/desk.rs"]
mod desk;

use std::process::Command;

use around::installed;
use desk::Desk;

/// As the help lists them.
fn commands(desk: &Desk) -> Vec<String> {
    let help = desk.runs(["--help"]).and_exits(0).out();
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // What goes on in another line is indented further.
    let rows = list.lines().filter_map(|line| line.strip_prefix("  ").filter(|row| !row.starts_with(' ')));
    let names = rows.filter_map(|row| row.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "help").map(str::to_owned).collect();
    assert!(names.len() > 8, "{names:?}");
    names
}

#[test]
fn completions_know_every_command_in_every_shell() {
    let desk = Desk::new();
    let commands = commands(&desk);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.runs(["completions", shell]).and_exits(0).out();
        let missing: Vec<_> = commands.iter().filter(|name| !script.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
        assert!(script.contains("no-cache"), "{shell}");
    }
    desk.runs(["completions", "cmd"]).and_exits(2);
}

/// What bash offers for the last of these words.
fn offered(desk: &Desk, words: &[&str]) -> Vec<String> {
    let script = r#"
        source completions.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _sticker__packer "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    let said = bash.args(["--norc", "-c", script, "bash"]).args(words).current_dir(desk.place(".")).output();
    let said = said.unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_after_a_subcommand() {
    if installed(&["bash"], "--version").is_none() {
        return;
    }
    let desk = Desk::new();
    desk.writes("completions.bash", desk.runs(["completions", "bash"]).and_exits(0).out());
    assert_eq!(offered(&desk, &["sticker-packer", "bui"]), ["build"]);
    assert_eq!(offered(&desk, &["sticker-packer", "build", "--ef"]), ["--effort"]);
    assert_eq!(
        offered(&desk, &["sticker-packer", "export", "mochi", "--to", ""]),
        ["telegram", "whatsapp", "signal"]
    );
    assert_eq!(offered(&desk, &["sticker-packer", "help", "prev"]), ["preview"]);
    for command in commands(&desk) {
        assert_eq!(offered(&desk, &["sticker-packer", &command, "--qui"]), ["--quiet"], "{command}");
    }
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let desk = Desk::new();
    let main = desk.runs(["man"]).and_exits(0).out();
    assert!(main.contains(".TH sticker-packer 1"), "{main}");
    desk.runs(["man", "--out", "man1"]).and_exits(0);
    let mut expected = vec!["sticker-packer.1".to_owned()];
    for command in commands(&desk) {
        assert!(main.contains(&format!("sticker\\-packer\\-{command}(1)")), "{command}");
        let name = format!("sticker-packer-{command}.1");
        let page = String::from_utf8(desk.reads(&format!("man1/{name}"))).unwrap();
        assert!(page.contains(&format!(".TH sticker-packer-{command} 1")), "{page}");
        assert!(page.contains(&format!("\\fBsticker\\-packer {command}\\fR")), "{page}");
        expected.push(name);
    }
    expected.sort();
    assert_eq!(desk.files_in("man1"), expected);
}
