//! Growing the trees: rows are split until they stand alone or the depth limit is reached.
//!
//! Each tree has a random stream of its own, so neither the order of growing nor the number of threads
//! can matter. Nodes are grown breadth first, which is the order that the codec writes. A tree's rows stay
//! in the first-level cache while it grows.
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
        chooser: Chooser::new(sample),
        max_depth: sample.params.max_depth.unwrap_or(sample.size.next_power_of_two().ilog2()),
        rows: Vec::new(),
        pending: Vec::new(),
        nodes: Vec::new(),
    };
    draws.iter().map(|draw| grower.grow(draw)).collect()
}

struct Grower<'a> {
    chooser: Chooser<'a>,
    max_depth: u32,
    /// The tree's rows, in the order of the nodes that they came to.
    rows: Vec<u32>,
    pending: Vec<Pending>,
    nodes: Vec<Node>,
}

/// Rows still to be split: their node, its range in the order of rows, its depth.
#[derive(Debug, Clone, Copy)]
struct Pending {
    node: usize,
    start: usize,
    end: usize,
    depth: u32,
}

impl Grower<'_> {
    #[allow(clippy::cast_possible_truncation)] // Samples have at most 65,536 rows.
    fn grow(&mut self, draw: &Draw) -> Tree {
        let mut random = draw.random.clone();
        let size = draw.rows.len();
        self.rows.clear();
        self.rows.extend_from_slice(&draw.rows);
        self.chooser.start_tree(&draw.rows);
        self.pending.clear();
        self.pending.push(Pending { node: 0, start: 0, end: size, depth: 0 });
        self.nodes.clear();
        self.nodes.push(Node::leaf(size as u32));
        let mut extended = Vec::new();
        let mut next = 0;
        while let Some(&at) = self.pending.get(next) {
            next += 1;
            if at.depth >= self.max_depth || at.end - at.start < 2 {
                continue;
            }
            let rows = &mut self.rows[at.start..at.end];
            let Some(split) = self.chooser.choose(rows, &mut random) else { continue };
            let middle = at.start + split.left;
            self.nodes[at.node] = node(split, self.nodes.len(), at.end - at.start, &mut extended);
            for (start, end) in [(at.start, middle), (middle, at.end)] {
                self.pending.push(Pending { node: self.nodes.len(), start, end, depth: at.depth + 1 });
                self.nodes.push(Node::leaf((end - start) as u32));
            }
        }
        Tree::new(self.nodes.clone(), extended)
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
