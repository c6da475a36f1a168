//! The one range of bytes that a request may ask for (RFC 9110, section 14.1.2).

/// A part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// From the first byte to the last, both included.
    Part {
        /// Place of the first byte.
        first: u64,
        /// Place of the last byte.
        last: u64,
    },
    /// No byte of it is there.
    Unsatisfiable,
}

impl Range {
    /// `None` where the whole is the answer: for several ranges, other units, and what is no range.
    pub(super) fn read(header: &str, length: u64) -> Option<Self> {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // Beyond any length is beyond this one.
            digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
        };
        let part = match (first, last) {
            ("", suffix) => (length.saturating_sub(number(suffix)?), length.checked_sub(1)),
            (first, "") => (number(first)?, length.checked_sub(1)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return None;
                }
                (first, length.checked_sub(1).map(|end| last.min(end)))
            }
        };
        Some(match part {
            (first, Some(last)) if first <= last => Self::Part { first, last },
            _ => Self::Unsatisfiable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_the_whole_or_impossible() {
        let part = |first, last| Some(Range::Part { first, last });
        assert_eq!(Range::read("bytes=0-0", 10), part(0, 0));
        assert_eq!(Range::read("bytes=2-", 10), part(2, 9));
        assert_eq!(Range::read("bytes=-3", 10), part(7, 9));
        assert_eq!(Range::read("bytes=-99", 10), part(0, 9));
        assert_eq!(Range::read("bytes=5-99", 10), part(5, 9));
        assert_eq!(Range::read("bytes=5-99999999999999999999999", 10), part(5, 9));
        for impossible in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=18446744073709551616-"] {
            assert_eq!(Range::read(impossible, 10), Some(Range::Unsatisfiable), "{impossible}");
        }
        for ignored in [
            "bytes=3-2",
            "bytes=0-1,3-4",
            "bytes=-",
            "items=0-1",
            "bytes=a-b",
            "bytes",
            "bytes=+1-2",
            "bytes=0--1",
            "Bytes=0-1",
            "bytes = 0-1",
            "",
        ] {
            assert_eq!(Range::read(ignored, 10), None, "{ignored}");
        }
    }
}
