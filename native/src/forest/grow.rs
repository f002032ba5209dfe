//! Growing the trees: rows are split until they stand alone or the depth limit is reached.
//!
//! Each tree has a random stream of its own, so neither the order of growing nor the number of threads
//! can matter. Nodes are grown breadth first, which is the order that the codec writes. A tree's rows are
//! gathered once, column after column, and stay in the first-level cache while it grows.
use super::sample::{Draw, Sample};
use super::split::{Chooser, Split};
use super::tree::{Node, Terms, Tree};

/// Grows all trees of a sample.
pub fn grow(sample: &Sample) -> Vec<Tree> {
    let threads = sample.params.threads.clamp(1, sample.draws.len());
    if threads == 1 {
        return grow_some(sample, &sample.draws);
    }
    let share = sample.draws.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let parts = sample.draws.chunks(share).map(|draws| scope.spawn(move || grow_some(sample, draws)));
        let parts: Vec<_> = parts.collect();
        let join = |part: std::thread::ScopedJoinHandle<'_, Vec<Tree>>| match part.join() {
            Ok(trees) => trees,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        parts.into_iter().flat_map(join).collect()
    })
}

fn grow_some(sample: &Sample, draws: &[Draw]) -> Vec<Tree> {
    let mut grower = Grower {
        chooser: Chooser::new(sample.params.split_choice, sample.params.ndim.min(sample.columns)),
        max_depth: sample.params.max_depth.unwrap_or(sample.size.next_power_of_two().ilog2()),
        rows: Vec::new(),
        right: Vec::new(),
        pending: Vec::new(),
    };
    draws.iter().map(|draw| grower.grow(sample, draw)).collect()
}

struct Grower {
    chooser: Chooser,
    max_depth: u32,
    /// Places in the tree's sample, in the order of the nodes that they came to.
    rows: Vec<u16>,
    right: Vec<u16>,
    pending: Vec<Pending>,
}

/// Rows still to be split: their node, its range in the order of rows, its depth.
#[derive(Debug, Clone, Copy)]
struct Pending {
    node: usize,
    start: usize,
    end: usize,
    depth: u32,
}

impl Grower {
    #[allow(clippy::cast_possible_truncation)] // Samples have at most 65,536 rows.
    fn grow(&mut self, sample: &Sample, draw: &Draw) -> Tree {
        let mut random = draw.random.clone();
        let size = draw.rows.len();
        self.chooser.load(&sample.rows, sample.columns, &draw.rows);
        self.rows.clear();
        self.rows.extend((0..size).map(|place| place as u16));
        self.right.resize(size, 0);
        self.pending.clear();
        self.pending.push(Pending { node: 0, start: 0, end: size, depth: 0 });
        let mut nodes = Vec::with_capacity(2 * size);
        nodes.push(Node::leaf(size as u32));
        let mut extended = Vec::new();
        let mut next = 0;
        while let Some(&at) = self.pending.get(next) {
            next += 1;
            if at.depth >= self.max_depth || at.end - at.start < 2 {
                continue;
            }
            let rows = &self.rows[at.start..at.end];
            let Some(split) = self.chooser.choose(rows, &mut random) else { continue };
            let middle = at.start + self.part(at);
            nodes[at.node] = node(split, nodes.len(), at.end - at.start, &mut extended);
            for (start, end) in [(at.start, middle), (middle, at.end)] {
                self.pending.push(Pending { node: nodes.len(), start, end, depth: at.depth + 1 });
                nodes.push(Node::leaf((end - start) as u32));
            }
        }
        nodes.shrink_to_fit();
        Tree::new(nodes, extended)
    }

    /// Puts the rows that go left in front, as the chooser says; returns how many they are.
    fn part(&mut self, at: Pending) -> usize {
        let rows = &mut self.rows[at.start..at.end];
        let (mut left, mut right) = (0, 0);
        // Both places are written and one advances, so there is no branch to guess wrong.
        for index in 0..rows.len() {
            let (row, goes_right) = (rows[index], usize::from(self.chooser.right[index]));
            rows[left] = row;
            self.right[right] = row;
            left += 1 - goes_right;
            right += goes_right;
        }
        rows[left..].copy_from_slice(&self.right[..right]);
        left
    }
}

#[allow(clippy::cast_possible_truncation)] // Samples have at most 65,536 rows, rows 1,024 columns.
fn node(split: Split, left: usize, size: usize, extended: &mut Vec<Terms>) -> Node {
    let place = if split.terms.is_some() { extended.len() as u32 + 1 } else { 0 };
    extended.extend(split.terms);
    Node {
        threshold: split.threshold,
        left: left as u32,
        size: size as u32,
        feature: split.feature as u16,
        missing_right: split.missing_right,
        extended: place,
    }
}
