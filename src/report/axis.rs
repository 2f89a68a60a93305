//! An axis of a chart: from where to where, and at which round numbers it is marked.

use crate::answer::sheet::thousands;

/// A stretch of numbers, marked at round ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Distance between marks.
    step: f64,
}

impl Axis {
    /// From a round number at or below `low` to one at or above `high`, with about `marks` marks.
    pub(super) fn around(low: f64, high: f64, marks: usize) -> Self {
        let step = round_step((high - low).max(1e-6) / marks.max(1) as f64);
        Self { from: (low / step).floor() * step, to: (high / step).ceil() * step, step }
    }

    /// From `from` to `to` as they are, with about `marks` marks.
    pub(super) fn between(from: f64, to: f64, marks: usize) -> Self {
        Self { from, to, step: round_step((to - from).max(1e-6) / marks.max(1) as f64) }
    }

    /// The round numbers within.
    pub(super) fn marks(&self) -> Vec<f64> {
        let first = (self.from / self.step - 1e-6).ceil();
        let last = (self.to / self.step + 1e-6).floor();
        (0..=(last - first) as usize).map(|number| (first + number as f64) * self.step).collect()
    }

    /// A mark as it is written: as many decimals as the step has.
    pub(super) fn label(&self, mark: f64) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 6.0) as usize;
        match decimals {
            0 if mark >= 0.0 => thousands(mark.round() as usize),
            _ => format!("{mark:.decimals$}"),
        }
    }

    /// Where a number lies, 0 to 1.
    pub(super) fn share(&self, value: f64) -> f32 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0) as f32
    }
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10.0_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= least * 0.999).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        for (low, high, expected) in [
            (0.0, 5.07, vec!["0", "1", "2", "3", "4", "5", "6"]),
            (0.0, 1200.0, vec!["0", "200", "400", "600", "800", "1,000", "1,200"]),
            (0.13, 0.34, vec!["0.10", "0.15", "0.20", "0.25", "0.30", "0.35"]),
            (0.0, 0.0, vec!["0.000000"]),
        ] {
            let axis = Axis::around(low, high, 6);
            let labels: Vec<String> = axis.marks().into_iter().map(|mark| axis.label(mark)).collect();
            assert_eq!(labels, expected, "{low} to {high}");
            assert!(axis.from <= low && axis.to >= high);
        }
        let axis = Axis::between(1.0, 192.0, 6);
        assert_eq!(axis.marks(), [50.0, 100.0, 150.0]);
        assert_eq!((axis.share(1.0), axis.share(192.0), axis.share(500.0)), (0.0, 1.0, 1.0));
    }
}
