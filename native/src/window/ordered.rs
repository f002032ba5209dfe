//! Values in ascending order, for ranks near the top.
//!
//! Sorted runs of at most 128 values: finding one halves a list of their first values, adding and removing
//! move at most one run, and a rank near the top is found by counting whole runs from there. A window of up
//! to 128 records is one run. Emptied runs are kept for the next one that is parted, two and one for every
//! eight in use, so that a steady window allocates nothing. Limit, as measured: cache misses on the run, in
//! windows of many thousands.
/// Longest run; a longer one is parted in two.
const MAX_RUN: usize = 128;
/// Shorter ones are joined to a neighbour when both fit.
const MIN_RUN: usize = 32;

/// Values in ascending order.
#[derive(Debug, Clone, Default)]
pub struct Ordered {
    runs: Vec<Vec<f64>>,
    /// First value of each run.
    firsts: Vec<f64>,
    /// Emptied runs of full capacity.
    spare: Vec<Vec<f64>>,
    len: usize,
}

impl Ordered {
    /// The last run that begins at or below `value`, else the first.
    fn run_of(&self, value: f64) -> usize {
        self.firsts.partition_point(|&first| first <= value).saturating_sub(1)
    }

    /// Adds a known value.
    pub fn insert(&mut self, value: f64) {
        self.len += 1;
        if self.len == 1 {
            let mut run = self.runs.pop().or_else(|| self.spare.pop()).unwrap_or_default();
            run.push(value);
            self.runs.push(run);
            self.firsts.push(value);
            return;
        }
        let mut index = self.run_of(value);
        if self.runs[index].len() == MAX_RUN {
            self.part(index);
            index = self.run_of(value);
        }
        let run = &mut self.runs[index];
        let place = run.partition_point(|&other| other < value);
        run.insert(place, value);
        self.firsts[index] = run[0];
    }

    /// Moves the upper half of a full run to a run of its own.
    fn part(&mut self, index: usize) {
        let mut upper = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(MAX_RUN));
        upper.extend(self.runs[index].drain(MAX_RUN / 2..));
        self.firsts.insert(index + 1, upper[0]);
        self.runs.insert(index + 1, upper);
    }

    /// Takes away a value that was added.
    pub fn remove(&mut self, value: f64) {
        // Equal values may begin in a run before the last that begins with one.
        let index = self.run_of(value);
        let run = &mut self.runs[index];
        let place = run.partition_point(|&other| other < value);
        debug_assert!(run.get(place) == Some(&value), "a value leaves that never came");
        run.remove(place);
        self.len -= 1;
        if let Some(&first) = run.first() {
            self.firsts[index] = first;
        }
        if run.len() < MIN_RUN {
            self.tidy(index);
        }
    }

    /// Joins a short run to the next, drops an empty one, and gives memory back.
    fn tidy(&mut self, index: usize) {
        if self.runs[index].is_empty() {
            return self.remove_run(index);
        }
        let next = self.runs.get(index + 1).map_or(usize::MAX, Vec::len);
        if next < MAX_RUN - MIN_RUN {
            let (lower, upper) = self.runs.split_at_mut(index + 1);
            lower[index].append(&mut upper[0]);
            self.remove_run(index + 1);
        }
        let run = &mut self.runs[index];
        if run.capacity() > 16 && run.len() * 4 < run.capacity() {
            run.shrink_to(run.len() * 2);
        }
    }

    /// Takes out an empty run and keeps it when there are few; gives memory back after a burst.
    fn remove_run(&mut self, index: usize) {
        let run = self.runs.remove(index);
        self.firsts.remove(index);
        let limit = if self.runs.len() < 2 { 0 } else { self.runs.len() / 8 + 2 };
        if self.spare.len() < limit && run.capacity() >= MAX_RUN {
            self.spare.push(run);
        }
        if self.spare.len() > 2 * limit {
            self.spare.truncate(limit);
            let room = 2 * self.runs.len();
            self.spare.shrink_to(limit);
            self.runs.shrink_to(room);
            self.firsts.shrink_to(room);
        }
    }

    /// Largest value; NaN of nothing.
    pub fn max(&self) -> f64 {
        self.runs.last().and_then(|run| run.last()).copied().unwrap_or(f64::NAN)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The value at a rank that exists and the one after it, itself when it is the last. Counts from the
    /// top, since that is where it is asked for.
    pub fn pair(&self, rank: usize) -> (f64, f64) {
        let (mut above, mut next) = (self.len, f64::NAN);
        for run in self.runs.iter().rev() {
            above -= run.len();
            if let Some(place) = rank.checked_sub(above) {
                let low = run[place];
                let high = run.get(place + 1).copied().unwrap_or(if next.is_nan() { low } else { next });
                return (low, high);
            }
            next = run[0];
        }
        (f64::NAN, f64::NAN)
    }

    /// Makes room for so many values where they are a single run, and gives back what is beyond.
    pub fn reserve(&mut self, count: usize) {
        if let [run] = self.runs.as_mut_slice() {
            // In steps, so that a slightly other count changes nothing.
            let count = count.next_multiple_of(MIN_RUN).min(MAX_RUN);
            run.reserve_exact(count.saturating_sub(run.len()));
            if run.capacity() > 2 * count {
                run.shrink_to(count);
            }
        }
    }

    /// Forgets all values and keeps room for as many.
    pub fn clear(&mut self) {
        self.runs.iter_mut().for_each(Vec::clear);
        // The first stays where it is, empty.
        self.spare.extend(self.runs.drain(self.runs.len().min(1)..));
        self.firsts.clear();
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn ranks_equal_a_sorted_lists_while_values_come_and_go() {
        let mut random = Random::new(4);
        for (steps, values, limit) in [(30_000, 1_000_000, 5000), (20_000, 7, 3000), (3000, 50, 40)] {
            let (mut ordered, mut queue) = (Ordered::default(), std::collections::VecDeque::new());
            for step in 0..steps {
                let value = f64::from(u32::try_from(random.below(values)).unwrap());
                ordered.insert(value);
                queue.push_back(value);
                // Grows, then holds, then falls to nothing.
                let keep = if step > steps * 3 / 4 { steps - 1 - step } else { limit };
                while queue.len() > keep {
                    ordered.remove(queue.pop_front().unwrap());
                }
                if step % 97 == 0 || step + 5 > steps {
                    let mut sorted: Vec<f64> = queue.iter().copied().collect();
                    sorted.sort_by(f64::total_cmp);
                    assert_eq!(ordered.len(), sorted.len());
                    for rank in [0, sorted.len() / 2, sorted.len() * 19 / 20, sorted.len().max(1) - 1] {
                        let Some(&low) = sorted.get(rank) else { continue };
                        assert_eq!(ordered.pair(rank), (low, *sorted.get(rank + 1).unwrap_or(&low)));
                    }
                    assert!(
                        ordered.max() == sorted.last().copied().unwrap_or(f64::NAN) || sorted.is_empty()
                    );
                }
            }
            assert!(ordered.runs.len() <= 1);
        }
    }
}
