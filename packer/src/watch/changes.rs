//! What changes in a project, a moment after it did.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::WatchError;
use super::counts::Counted;
use crate::build::BuildReport;
use crate::lock::{self, LOCK_FILE};

/// The events of a project's folder.
#[derive(Debug)]
pub(super) struct Changes {
    /// As the events name it.
    folder: PathBuf,
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    counted: Counted,
    /// Whether the folder was moved or removed, so that there is nothing to watch.
    is_lost: bool,
    lock: LockFile,
}

/// So long nothing happens after the last change before it is built: programs write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);
/// Where something happens all the time, what is there after this is built.
const LONGEST: Duration = Duration::from_secs(2);
/// Between two looks for a folder that was lost.
const LOOK: Duration = Duration::from_millis(500);

impl Changes {
    pub(super) fn in_project(folder: &Path, out: &Path) -> Result<Self, WatchError> {
        let failed = |source| WatchError::Watch { folder: folder.to_owned(), source };
        let whole = folder.canonicalize().map_err(notify::Error::io).map_err(failed)?;
        let (sender, events) = mpsc::channel();
        let hears = move |event: notify::Result<Event>| {
            if !event.as_ref().is_ok_and(only_reads) {
                // Nobody listens any more where this fails.
                let _ = sender.send(event);
            }
        };
        let mut watcher = notify::recommended_watcher(hears).map_err(failed)?;
        watcher.watch(&whole, RecursiveMode::Recursive).map_err(failed)?;
        let counted = Counted::new(&whole, out);
        let lock = LockFile { path: whole.join(LOCK_FILE), before: Content::default(), known: None };
        Ok(Self { folder: whole, watcher, events, counted, is_lost: false, lock })
    }

    /// A build writes `pack.lock`, which is no change.
    pub(super) fn build_begins(&mut self) {
        self.lock.build_begins();
    }

    pub(super) fn build_ended(&mut self, report: Option<&BuildReport>) {
        self.lock.build_ended(&self.folder, report);
    }

    /// What changed, relative to the project; `.` for all of it.
    pub(super) fn next(&mut self) -> Result<Vec<PathBuf>, WatchError> {
        loop {
            let mut seen = Seen::default();
            while seen.changed.is_empty() {
                self.wait(if self.is_lost { LOOK } else { Duration::MAX }, &mut seen)?;
                if self.is_lost && self.is_found() {
                    seen.changed.insert(PathBuf::from("."));
                }
            }
            let first = Instant::now();
            while first.elapsed() < LONGEST && self.wait(QUIET, &mut seen)? {}
            let changed = seen.stays(&self.folder);
            if !changed.is_empty() {
                return Ok(changed);
            }
        }
    }

    /// Whether something happened within that time, be it of interest or not.
    fn wait(&mut self, at_most: Duration, seen: &mut Seen) -> Result<bool, WatchError> {
        match self.events.recv_timeout(at_most) {
            Ok(event) => {
                self.take(event, seen);
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => {
                let source = notify::Error::generic("the system tells nothing any more");
                Err(WatchError::Watch { folder: self.folder.clone(), source })
            }
        }
    }

    fn take(&mut self, event: notify::Result<Event>, seen: &mut Seen) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            // Something was missed, nobody knows what.
            _ => {
                seen.changed.insert(PathBuf::from("."));
                return;
            }
        };
        for path in event.paths {
            if path == self.folder {
                self.is_lost |=
                    matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
            }
            if is_of_content(event.kind) && path.is_dir() {
                // Some systems tell so of each folder in which something changed, and of that too.
                continue;
            }
            let is_change =
                if path == self.lock.path { self.lock.is_changed() } else { self.counted.counts(&path) };
            if let (true, Ok(inside)) = (is_change, path.strip_prefix(&self.folder)) {
                let inside = if inside.as_os_str().is_empty() { Path::new(".") } else { inside };
                if matches!(event.kind, EventKind::Create(_)) {
                    seen.created.insert(inside.to_owned());
                }
                seen.changed.insert(inside.to_owned());
            }
        }
    }

    /// Whether the folder that was lost is there again, and watched.
    fn is_found(&mut self) -> bool {
        // The system may go on to tell of the folder where it is now.
        let _ = self.watcher.unwatch(&self.folder);
        self.is_lost = self.watcher.watch(&self.folder, RecursiveMode::Recursive).is_err();
        !self.is_lost
    }
}

/// What happened since the last build, relative to the project.
#[derive(Debug, Default)]
struct Seen {
    changed: BTreeSet<PathBuf>,
    created: BTreeSet<PathBuf>,
}

impl Seen {
    /// Without what came and went: programs write beside a file, whatever they call that, and put it in its place.
    fn stays(self, folder: &Path) -> Vec<PathBuf> {
        let Self { changed, created } = self;
        changed.into_iter().filter(|path| !created.contains(path) || folder.join(path).exists()).collect()
    }
}

/// Not of a name.
fn is_of_content(kind: EventKind) -> bool {
    matches!(kind, EventKind::Modify(kind) if !matches!(kind, ModifyKind::Name(_)))
}

/// The packer itself reads everything.
fn only_reads(event: &Event) -> bool {
    matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
        && !event.need_rescan()
}

/// Tells what the build wrote to `pack.lock` from what somebody else did.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    before: Content,
    /// What the build knows of it.
    known: Option<Content>,
}

/// None where there is no file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content(Option<Vec<u8>>);

impl LockFile {
    fn build_begins(&mut self) {
        self.before = self.read();
    }

    fn build_ended(&mut self, folder: &Path, report: Option<&BuildReport>) {
        let after = self.read();
        // A change in the middle of a build is known only where it says what was built.
        let is_known = after == self.before || report.is_some_and(|report| lock::is_of(folder, report));
        self.known = is_known.then_some(after);
    }

    fn is_changed(&self) -> bool {
        self.known.as_ref() != Some(&self.read())
    }

    fn read(&self) -> Content {
        Content(fs::read(&self.path).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_went_between_two_builds_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("new.png"), "new").unwrap();
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
        let seen = Seen {
            changed: paths(&["new.png", "removed.png", "sed4711"]),
            created: paths(&["new.png", "sed4711"]),
        };
        assert_eq!(seen.stays(folder.path()), [Path::new("new.png"), Path::new("removed.png")]);
    }
}
