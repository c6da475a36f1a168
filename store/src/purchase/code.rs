//! Codes that people hand on, read out and type: of gifts and of promotions.

use ring::hmac;
use sticker_protocol::Sha256;

use crate::random::{NoRandom, Random};
use crate::token::seal::MasterKey;

/// A code as people see it: 80 bits as 16 digits of Crockford's base 32 in groups of four, such as `7XG4-M2QD-0KPA-V93T`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The code itself, for whom it was made.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A random one.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn random(random: &Random) -> Result<Self, NoRandom> {
        Ok(Self::of(random.bytes()?))
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> String {
        Typed::read(&self.0).map(|typed| typed.hash()).unwrap_or_default()
    }

    fn of(bytes: [u8; 10]) -> Self {
        let bits = bytes.iter().fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
        let mut text = String::with_capacity(19);
        for at in 0..DIGITS {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            let value = bits >> (5 * (DIGITS - 1 - at)) & 0x1f;
            text.extend(usize::try_from(value).ok().and_then(|value| ALPHABET.chars().nth(value)));
        }
        Self(text)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

const DIGITS: usize = 16;
/// <https://www.crockford.com/base32.html>: no I, L, O and U.
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Makes the codes of gifts from the orders that they belong to, so that the giver can look at a code again and the database has only its
/// hash.
#[derive(Debug)]
pub struct Codes(hmac::Key);

impl Codes {
    /// For the store with this master key.
    pub fn new(master: &MasterKey) -> Self {
        Self(master.derived("sticker-store gift codes"))
    }

    /// The order's code of this round.
    pub fn of(&self, order_id: &str, round: i32) -> Code {
        let tag = hmac::sign(&self.0, format!("{order_id}/{round}").as_bytes());
        Code::of(tag.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

/// What somebody typed, in the form in which codes are compared: capital letters and digits, `O` as `0`, `I` and `L` as `1`, letters of
/// full width as plain ones, without spaces and dashes.
#[derive(Clone, PartialEq, Eq)]
pub struct Typed(String);

impl Typed {
    /// Reads what could be a code: 4 to 40 letters and digits.
    pub fn read(text: &str) -> Option<Self> {
        let mut read = String::with_capacity(DIGITS);
        for letter in text.trim().chars().take(MAX_TYPED).map(plain) {
            match letter {
                ' ' | '-' | '_' => {}
                letter if letter.is_alphanumeric() => read.extend(letter.to_uppercase().map(alike)),
                _ => return None,
            }
        }
        let length = read.chars().count();
        ((MIN_LENGTH..=MAX_LENGTH).contains(&length)).then_some(Self(read))
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> String {
        Sha256::of(self.0.as_bytes()).to_string()
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(..)")
    }
}

const MIN_LENGTH: usize = 4;
const MAX_LENGTH: usize = 40;
/// Beyond this nothing is a code, however many spaces are in it.
const MAX_TYPED: usize = 200;

/// Letters of full width, which keyboards for Japanese type, are plain ones; so are the dashes and spaces that programs for writing make.
fn plain(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(letter) - 0xff01 + u32::from('!')).unwrap_or(letter)
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        letter if letter.is_whitespace() => ' ',
        letter => letter,
    }
}

fn alike(letter: char) -> char {
    match letter {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_eighty_bits_in_four_groups_of_four() {
        assert_eq!(Code::of([0; 10]).expose(), "0000-0000-0000-0000");
        assert_eq!(Code::of([0xff; 10]).expose(), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        let counted = [0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf];
        assert_eq!(Code::of(counted).expose(), "0123-4567-89AB-CDEF");
    }

    #[test]
    fn a_code_is_read_however_it_is_typed_and_whatever_looks_alike() {
        let code = Code::of([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf]);
        for typed in [
            "0123-4567-89AB-CDEF",
            "0123456789abcdef",
            "  oi23 4567 89ab cdef ",
            "OL23\u{2013}4567\u{2013}89aB\u{2013}cDEF",
            "\u{ff10}\u{ff11}\u{ff12}\u{ff13}\u{ff0d}4567\u{3000}89\u{ff21}\u{ff22}cdef",
        ] {
            assert_eq!(Typed::read(typed).unwrap().hash(), code.hash(), "{typed:?}");
        }
        assert_ne!(Typed::read("0123-4567-89AB-CDEG").unwrap().hash(), code.hash());
        assert_eq!(Typed::read("summer").unwrap().hash(), Typed::read("SUMMER").unwrap().hash());
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for typed in ["", "abc", "a-b-c", "ab<cd>", &"a".repeat(41), &"-".repeat(300), "a\0bcd"] {
            assert!(Typed::read(typed).is_none(), "{typed:?}");
        }
        assert!(Typed::read("여름한정").is_some());
    }
}
