//! The harness: the running programs, and the people who use them as types.
