//! Which statistics windows have to maintain: only those that some feature asks for.
use crate::feature::Statistic;

/// What is kept of each channel, shared by all windows of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    channels: usize,
    /// Channels whose largest values are tracked, those tracked for their smallest, and those whose upper
    /// values are kept in order.
    pub largest: Vec<usize>,
    pub smallest: Vec<usize>,
    pub ordered: Vec<usize>,
}

impl Plan {
    /// Everything of every channel.
    pub fn full(channels: usize) -> Self {
        let all = [Statistic::Max, Statistic::Delta, Statistic::P95];
        Self::of(channels, (0..channels).flat_map(|channel| all.map(|statistic| (channel, statistic))))
    }

    /// What these statistics of these channels need.
    pub fn of(channels: usize, wanted: impl Iterator<Item = (usize, Statistic)>) -> Self {
        let mut plan = Self { channels, largest: vec![], smallest: vec![], ordered: vec![] };
        let wanted: Vec<(usize, Statistic)> = wanted.collect();
        for &(channel, _) in wanted.iter().filter(|(_, statistic)| *statistic == Statistic::P95) {
            enlist(&mut plan.ordered, channel);
        }
        for (channel, statistic) in wanted {
            // A channel whose upper values are kept in order has its largest at their end.
            let tracked = matches!(statistic, Statistic::Max | Statistic::Delta);
            if tracked && !plan.ordered.contains(&channel) {
                enlist(&mut plan.largest, channel);
            }
            if statistic == Statistic::Delta {
                enlist(&mut plan.smallest, channel);
            }
        }
        plan
    }

    /// How many channels a record has.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

fn enlist(list: &mut Vec<usize>, channel: usize) {
    if !list.contains(&channel) {
        list.push(channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_kept_and_order_includes_the_largest() {
        let wanted = [(0, Statistic::Max), (0, Statistic::P95), (1, Statistic::Max), (2, Statistic::Delta)];
        let plan = Plan::of(4, wanted.into_iter());
        assert_eq!((plan.ordered, plan.largest, plan.smallest), (vec![0], vec![1, 2], vec![2]));
        assert_eq!(Plan::full(2).ordered, [0, 1]);
    }
}
