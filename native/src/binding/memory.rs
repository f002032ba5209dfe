//! Gives memory back that this process holds and does not use. Allocators keep what is freed, and what only the start
//! of a program needed stays mapped; on a small machine that counts.
//!
//! Linux only, and the allocator's part only with glibc; elsewhere nothing happens.

use napi_derive::napi;

/// Address ranges of `/proc/self/smaps` that are read-only parts of files and hold no page of this process' own: what
/// is dropped from them comes back from the file unchanged.
#[cfg(target_os = "linux")]
fn program_ranges(smaps: &str) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(first), second) = (words.next(), words.next()) else { continue };
        if first == "Anonymous:" {
            ranges.extend(candidate.take().filter(|_| second == Some("0")));
        } else if let Some((start, end)) = first.split_once('-') {
            let private = matches!(second, Some("r--p" | "r-xp"));
            let file = line.contains(" /");
            let range = usize::from_str_radix(start, 16).ok().zip(usize::from_str_radix(end, 16).ok());
            candidate = range.filter(|_| private && file);
        }
    }
    ranges
}

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::{c_int, c_void};

    const MADV_DONTNEED: c_int = 4;

    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
        #[cfg(target_env = "gnu")]
        fn malloc_trim(pad: usize) -> c_int;
    }

    pub fn trim_allocator() {
        // SAFETY: takes its own locks and moves nothing that is in use; any thread may call it at any time.
        #[cfg(target_env = "gnu")]
        unsafe {
            malloc_trim(0);
        }
    }

    pub fn drop_pages((start, end): (usize, usize)) {
        // SAFETY: the range is a private, read-only part of a file without a changed page, so that every page reads
        // the same afterwards. A range that is gone meanwhile is refused by the kernel; nothing of ours unmaps
        // programs.
        unsafe {
            madvise(std::ptr::with_exposed_provenance_mut(start), end - start, MADV_DONTNEED);
        }
    }
}

/// Gives back what the allocator holds free (milliseconds at worst). With `program` also the pages of program files
/// that are mapped here: those in use come back at once from the page cache, those that only the start needed stay
/// away.
#[napi(catch_unwind)]
pub fn release_memory(program: bool) {
    #[cfg(target_os = "linux")]
    {
        system::trim_allocator();
        if program && let Ok(smaps) = std::fs::read_to_string("/proc/self/smaps") {
            program_ranges(&smaps).into_iter().for_each(system::drop_pages);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = program;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_unchanged_read_only_parts_of_files_are_dropped() {
        let mapping = |header: &str, anonymous: u32| {
            format!("{header}\nSize: 8 kB\nAnonymous: {anonymous} kB\nVmFlags: rd mr\n")
        };
        let smaps = [
            mapping("1000-3000 r-xp 00000000 08:01 7 /usr/bin/node", 0),
            mapping("4000-5000 r--p 00000000 08:01 7 /usr/bin/a name", 0),
            mapping("5000-6000 r--p 00000000 08:01 7 /usr/bin/node", 4),
            mapping("6000-7000 rw-p 00000000 08:01 7 /usr/bin/node", 0),
            mapping("7000-8000 r--s 00000000 08:01 7 /usr/bin/node", 0),
            mapping("8000-9000 r-xp 00000000 00:00 0 [vdso]", 0),
            mapping("9000-a000 r--p 00000000 00:00 0", 0),
        ];
        assert_eq!(program_ranges(&smaps.concat()), [(0x1000, 0x3000), (0x4000, 0x5000)]);
    }

    #[test]
    fn the_program_goes_on_without_its_pages() {
        let text = "kept".repeat(1000);
        release_memory(true);
        release_memory(false);
        assert_eq!(text, "kept".repeat(1000));
    }
}
