//! How far the work is.

/// Hears of work as it is done; called from several threads.
pub trait Progress: Sync {
    /// Work of so many steps begins.
    fn begins(&self, steps: usize);
    /// One step is done.
    fn step(&self);
}

/// Nobody listens.
impl Progress for () {
    fn begins(&self, _steps: usize) {}
    fn step(&self) {}
}
