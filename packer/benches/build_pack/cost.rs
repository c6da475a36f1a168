//! Wall time, processor time and memory, from `/proc` (Linux) and nothing elsewhere.

use std::fs;
use std::time::{Duration, Instant};

/// What a piece of work took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

pub(crate) fn measure(work: impl FnOnce()) -> Cost {
    let (start, cpu) = (Instant::now(), cpu_time());
    work();
    Cost { wall: start.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
}

pub(crate) fn median(mut costs: Vec<Cost>) -> Cost {
    let middle = costs.len() / 2;
    costs.sort_by_key(|cost| cost.wall);
    let wall = costs.get(middle).map(|cost| cost.wall).unwrap_or_default();
    costs.sort_by_key(|cost| cost.cpu);
    Cost { wall, cpu: costs.get(middle).map(|cost| cost.cpu).unwrap_or_default() }
}

impl Cost {
    /// Wall and processor time as multiples of another's.
    pub(crate) fn over(self, other: Self) -> String {
        let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64().max(0.001);
        format!("{:.2} x wall, {:.2} x CPU", ratio(self.wall, other.wall), ratio(self.cpu, other.cpu))
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.2} s wall, {:>6.2} s CPU", self.wall.as_secs_f64(), self.cpu.as_secs_f64())
    }
}

/// User and system time of this process and of its children that ended, from fields 14 to 17 of proc(5), at 100 Hz.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory that this process had at once, in MiB.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}
