//! Names of files, made of the names that designers give their stickers.

use std::collections::BTreeSet;

use crate::init::slug_of;

/// Gives each sticker a name that works on every system and in every address, no two alike.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// Without an ending: the sticker's own name where it works, else what is left of it.
    pub(super) fn of(&mut self, sticker: &str) -> String {
        let works = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        let stem = if !sticker.is_empty() && sticker.len() <= MAX_LENGTH && sticker.chars().all(works) {
            sticker.to_owned()
        } else {
            slug_of(sticker).unwrap_or_else(|| "sticker".to_owned())
        };
        let mut free = stem.clone();
        for number in 2_u32.. {
            if self.taken.insert(free.to_lowercase()) {
                break;
            }
            free = format!("{stem}-{number}");
        }
        free
    }
}

/// Far below what any file system takes.
const MAX_LENGTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_work_stay_and_others_become_some_that_do() {
        let mut names = Names::default();
        let given = ["hi_There", "HI_there", "안녕", "../x", "What's up?", "잘 가", "con/prn"];
        assert_eq!(
            given.map(|it| names.of(it)),
            ["hi_There", "HI_there-2", "sticker", "x", "what-s-up", "sticker-2", "con-prn"]
        );
        assert!(names.of(&"x".repeat(300)).len() < 70);
    }
}
