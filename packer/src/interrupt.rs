//! Ctrl-C and SIGTERM: nothing half-written stays.

use std::process;

use sticker_packer::out::remove_unfinished;

/// What a shell calls a command that was interrupted: 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: i32 = 130;

/// From now on an interrupt removes what is not in its place yet and ends the process with `code`. Where the system takes no handler,
/// it ends the process at once, and the next start tidies up.
pub(crate) fn ends_with(code: i32) {
    let _ = ctrlc::set_handler(move || {
        let _until_the_end = remove_unfinished();
        #[expect(clippy::exit, reason = "the threads at work do not look out for interrupts")]
        process::exit(code);
    });
}
