//! Counts the heap of the thread that asks; a test file that uses it declares [`Counting`] as its allocator.
//!
//! The language calls an allocator unsafe; this one only passes on what the system's gives.
#![allow(unsafe_code)]
#![allow(dead_code)] // Each test file uses a part.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Bytes asked for by this thread, whether given back or not.
pub fn asked() -> u64 {
    ASKED.get()
}

/// Bytes that this thread holds: asked for less given back.
pub fn live() -> i64 {
    LIVE.get()
}

/// How often this thread asked.
pub fn calls() -> u64 {
    CALLS.get()
}

/// The system's allocator with counters.
pub struct Counting;

#[allow(clippy::cast_possible_wrap)] // No layout is larger than i64 holds.
fn count(asked: usize, freed: usize) {
    // Not counted while a thread ends and its counters are gone already.
    let _ = LIVE.try_with(|live| live.set(live.get() + asked as i64 - freed as i64));
    if asked > 0 {
        let _ = ASKED.try_with(|total| total.set(total.get() + asked as u64));
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    }
}

// SAFETY: every method forwards to the system's allocator and touches no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: what the caller promises, the system asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: what the caller promises, the system asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, layout.size());
        // SAFETY: what the caller promises, the system asks for.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: what the caller promises, the system asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}
