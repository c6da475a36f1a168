//! Pages of the deny feed, section 1.6 of the specification.

use serde::{Deserialize, Serialize};

use super::UserId;
use crate::ids::MAX_ID;
use crate::json::{Bounded, Object, too_deep_at};
use crate::limits::{MAX_REVOCATIONS, MAX_REVOKED_STICKERS};
use crate::{Expiry, StickerId};

/// One answer of `GET /v1/revocations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationPage {
    /// What was taken back, in the order in which it took effect; at most [`MAX_REVOCATIONS`].
    pub revocations: Vec<Revocation>,
    /// What to ask after next time, 0 to 2^53 - 1.
    pub cursor: u64,
    /// There is more: ask again at once.
    pub more: bool,
}

/// One entry: a right that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The entry's own place in the feed.
    pub cursor: u64,
    /// Whose right; `None` is every user.
    pub user: Option<UserId>,
    /// For which stickers; at most [`MAX_REVOKED_STICKERS`].
    pub stickers: Vec<StickerId>,
    /// Tokens that expire at or before this are refused.
    pub refuse_until: Expiry,
}

/// A page that is refused as a whole; the cursor stays. Never shows content of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no page of the deny feed")]
pub struct PageError;

impl PageError {
    /// The stable code, the same in every language.
    pub const fn code(self) -> &'static str {
        "bad_page"
    }
}

impl RevocationPage {
    /// Reads the body of an answer. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`PageError`] for everything else that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, PageError> {
        // As a text first: in fields that it ignores the JSON reader would let pass what is no UTF-8.
        let text =
            std::str::from_utf8(body).ok().filter(|text| too_deep_at(text).is_none()).ok_or(PageError)?;
        let Object(page): Object<PageIn<'_>> = serde_json::from_str(text).ok().ok_or(PageError)?;
        let revocations = page.revocations.0.into_iter().map(|Object(entry)| entry.read());
        let revocations = revocations.collect::<Result<_, _>>()?;
        Ok(Self { revocations, cursor: cursor(page.cursor)?, more: page.more })
    }

    /// The body of an answer.
    pub fn to_json(&self) -> String {
        let revocations = self.revocations.iter().map(|entry| EntryOut {
            cursor: entry.cursor,
            user_hex: entry.user.map(|user| user.to_hex()),
            sticker_ids: &entry.stickers,
            refuse_until: entry.refuse_until,
        });
        let page = PageOut { revocations: revocations.collect(), cursor: self.cursor, more: self.more };
        // Numbers, hex digits and words: there is nothing that JSON could not hold.
        serde_json::to_string(&page).unwrap_or_default()
    }
}

fn cursor(number: u64) -> Result<u64, PageError> {
    if number <= MAX_ID { Ok(number) } else { Err(PageError) }
}

#[derive(Deserialize)]
struct PageIn<'a> {
    #[serde(borrow)]
    revocations: Bounded<Object<EntryIn<'a>>, MAX_REVOCATIONS>,
    cursor: u64,
    more: bool,
}

#[derive(Deserialize)]
struct EntryIn<'a> {
    cursor: u64,
    // A function of its own keeps a missing field from counting as null, which is every user.
    #[serde(borrow, deserialize_with = "Deserialize::deserialize")]
    user_hex: Option<std::borrow::Cow<'a, str>>,
    sticker_ids: Bounded<StickerId, MAX_REVOKED_STICKERS>,
    refuse_until: Expiry,
}

impl EntryIn<'_> {
    fn read(self) -> Result<Revocation, PageError> {
        let user = self.user_hex.map(|hex| UserId::from_hex(&hex).ok().ok_or(PageError)).transpose()?;
        let Self { sticker_ids: Bounded(stickers), refuse_until, .. } = self;
        Ok(Revocation { cursor: cursor(self.cursor)?, user, stickers, refuse_until })
    }
}

#[derive(Serialize)]
struct PageOut<'a> {
    revocations: Vec<EntryOut<'a>>,
    cursor: u64,
    more: bool,
}

#[derive(Serialize)]
struct EntryOut<'a> {
    cursor: u64,
    user_hex: Option<String>,
    sticker_ids: &'a [StickerId],
    refuse_until: Expiry,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(stickers: usize) -> Revocation {
        let stickers = (1..).take(stickers).map(|id| StickerId::new(id).unwrap()).collect();
        Revocation {
            cursor: 18,
            user: UserId::from_text("alice").ok(),
            stickers,
            refuse_until: Expiry(1_800_086_400),
        }
    }

    fn page(revocations: Vec<Revocation>) -> RevocationPage {
        RevocationPage { revocations, cursor: 18, more: false }
    }

    #[test]
    fn a_page_is_written_as_the_specification_shows_it_and_reads_back() {
        let page = page(vec![entry(2), Revocation { user: None, ..entry(1) }]);
        assert_eq!(
            page.to_json(),
            concat!(
                r#"{"revocations":[{"cursor":18,"user_hex":"616c696365","sticker_ids":[1,2],"refuse_until":1800086400},"#,
                r#"{"cursor":18,"user_hex":null,"sticker_ids":[1],"refuse_until":1800086400}],"cursor":18,"more":false}"#
            )
        );
        assert_eq!(RevocationPage::parse(page.to_json().as_bytes()), Ok(page));
    }

    #[test]
    fn a_page_holds_ten_thousand_entries_and_no_more() {
        let of = |entries| RevocationPage::parse(page(vec![entry(1); entries]).to_json().as_bytes());
        assert_eq!(of(MAX_REVOCATIONS).map(|page| page.revocations.len()), Ok(MAX_REVOCATIONS));
        assert_eq!(of(MAX_REVOCATIONS + 1), Err(PageError));
    }

    #[test]
    fn an_entry_holds_ten_thousand_stickers_and_no_more() {
        let of = |stickers| RevocationPage::parse(page(vec![entry(stickers)]).to_json().as_bytes());
        assert!(of(MAX_REVOKED_STICKERS).is_ok());
        assert_eq!(of(MAX_REVOKED_STICKERS + 1), Err(PageError));
    }

    #[test]
    fn bytes_that_are_no_text_are_no_page() {
        assert_eq!(
            RevocationPage::parse(b"{\"revocations\":[],\"cursor\":1,\"more\":false,\"x\":\"\xff\"}"),
            Err(PageError)
        );
        assert_eq!(PageError.code(), "bad_page");
    }
}
