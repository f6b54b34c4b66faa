//! Realtime priority for the threads on whose punctuality sound depends.

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Below a sound server's own threads, above everything that is not about sound.
const PRIORITY: u8 = 4;

/// Runs the calling thread, and threads it starts from now on, before all ordinary ones (`SCHED_FIFO`).
///
/// False where the system does not permit it (not root, no `LimitRTPRIO`): then the thread goes on as it was.
pub fn raise_priority() -> bool {
    ThreadPriorityValue::try_from(PRIORITY).is_ok_and(|value| {
        set_thread_priority_and_policy(
            thread_native_id(),
            ThreadPriority::Crossplatform(value),
            ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
        )
        .is_ok()
    })
}

/// Keeps signals away from the calling thread and those it starts: what they wait for should not be interrupted.
pub(super) fn block_signals() -> bool {
    nix::sys::signal::SigSet::all().thread_block().is_ok()
}
