//! Names in addresses, and paths in releases.

use std::fmt;
use std::str::FromStr;

use crate::sticker::MetadataError;

/// A pack's or an artist's name in addresses: 1 to 64 of `a` to `z`, `0` to `9` and single hyphens between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// A text that is no slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a slug is {}", Slug::FORM)]
pub struct SlugError;

impl Slug {
    /// The longest slug in bytes.
    pub const MAX_LENGTH: usize = 64;
    const FORM: &'static str = "1 to 64 of a-z, 0-9 and single hyphens between them";

    /// The text of the slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn checked(field: &'static str, text: String) -> Result<Self, MetadataError> {
        if is_slug(&text) { Ok(Self(text)) } else { Err(MetadataError::Form { field, form: Self::FORM }) }
    }
}

fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= Slug::MAX_LENGTH && text.split('-').all(is_word)
}

impl FromStr for Slug {
    type Err = SlugError;
    fn from_str(text: &str) -> Result<Self, SlugError> {
        if is_slug(text) { Ok(Self(text.to_owned())) } else { Err(SlugError) }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file's place in a release: relative, forward slashes, each part of `a` to `z`, `0` to `9`, `.`, `_` and `-` and not
/// beginning with a dot. So it is safe on every file system and in every address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleasePath(String);

/// A text that is no path of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path in a release is {}", ReleasePath::FORM)]
pub struct ReleasePathError;

impl ReleasePath {
    const MAX_LENGTH: usize = 200;
    const FORM: &'static str =
        "up to four parts of a-z, 0-9, dots, underscores and hyphens, none beginning with a dot";

    /// The text of the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn checked(field: &'static str, text: String) -> Result<Self, MetadataError> {
        if is_path(&text) { Ok(Self(text)) } else { Err(MetadataError::Form { field, form: Self::FORM }) }
    }
}

fn is_path(text: &str) -> bool {
    let is_part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    text.len() <= ReleasePath::MAX_LENGTH && text.split('/').count() <= 4 && text.split('/').all(is_part)
}

impl FromStr for ReleasePath {
    type Err = ReleasePathError;
    fn from_str(text: &str) -> Result<Self, ReleasePathError> {
        if is_path(text) { Ok(Self(text.to_owned())) } else { Err(ReleasePathError) }
    }
}

impl fmt::Display for ReleasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_words_with_hyphens_between_them() {
        for good in ["a", "mochi-and-bean", "2026", &"a".repeat(64)] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "a/b", "..", "고양이", &"a".repeat(65)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_path_leaves_its_folder() {
        for good in ["320/8675309.sticker", "web/7.poster.webp", "release.thrift"] {
            assert!(good.parse::<ReleasePath>().is_ok(), "{good}");
        }
        for bad in
            ["", "/etc", "a//b", "../a", "a/../b", "a/.b", "a\\b", "a\0", "C:a", "a/", "a/b/c/d/e", "Ａ"]
        {
            assert!(bad.parse::<ReleasePath>().is_err(), "{bad}");
        }
    }
}
