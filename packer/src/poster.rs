//! Which frame stands for a sticker where nothing moves.

/// The frame that the project names, else the first that shows something; `shows` says that of each frame.
pub(crate) fn poster(named: Option<usize>, shows: impl IntoIterator<Item = bool>) -> usize {
    named.or_else(|| shows.into_iter().position(|shows| shows)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_is_named_else_the_first_that_shows_something() {
        assert_eq!(poster(Some(0), [false, true]), 0);
        assert_eq!(poster(None, [false, false, true, true]), 2);
        assert_eq!(poster(None, [false, false]), 0);
    }
}
