//! What the copy of the page has that `build --watch` serves on this machine: it asks for news, says what is wrong with the project, and
//! loads itself again when there is a newer page.

use super::page::{STYLE as PAGE_STYLE, escaped, fill, policy};

/// A page as it is served.
#[derive(Clone, Debug)]
pub(crate) struct ServedPage {
    /// Which page it is, for the question whether there is a newer one; empty where nothing was built.
    pub(crate) id: String,
    /// The HTML.
    pub(crate) page: String,
    /// Its content security policy.
    pub(crate) policy: String,
}

pub(super) const STYLE: &str = include_str!("served.css");
pub(super) const SCRIPT: &str = include_str!("served.js");

/// What its policy has beyond that of the file: it asks the packer that serves it.
pub(super) const MAY_ASK: &str = "; connect-src 'self'";

const PART: &str = include_str!("served.html");
const NOTHING_YET: &str = include_str!("nothing_yet.html");

/// What stands at the end of the page.
pub(super) fn part(id: &str) -> String {
    fill(PART, &[("{id}", id.to_owned()), ("{script}", SCRIPT.to_owned())])
}

/// What is shown until the project was built for the first time.
pub(crate) fn nothing_yet(project: &str) -> ServedPage {
    let style = [PAGE_STYLE, STYLE].concat();
    let policy = policy(&[SCRIPT], &style) + MAY_ASK;
    let filled = [
        ("{policy}", policy.clone()),
        ("{project}", escaped(project)),
        ("{style}", style),
        ("{served}", part("")),
    ];
    ServedPage { id: String::new(), page: fill(NOTHING_YET, &filled), policy }
}
