//! The axis of a chart: starts at zero, with ticks at round numbers.

use crate::answer::sheet::thousands;

/// An axis has about this many ticks.
const TICKS: f64 = 5.0;

/// An axis from zero up.
pub(super) struct Axis {
    pub(super) end: f64,
    /// Between ticks.
    step: f64,
}

impl Axis {
    /// To `end`.
    pub(super) fn to(end: f64) -> Self {
        let least = end.max(1e-6) / TICKS;
        let power = 10.0_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= least * 0.999);
        Self { end: end.max(1e-6), step: step.unwrap_or(power) }
    }

    /// To the first tick that is no less than `least`.
    pub(super) fn beyond(least: f64) -> Self {
        let Self { end, step } = Self::to(least);
        Self { end: (end / step - 1e-6).ceil() * step, step }
    }

    /// Where a number lies, in per cent of the axis.
    pub(super) fn percent(&self, value: f64) -> f64 {
        100.0 * (value / self.end).clamp(0.0, 1.0)
    }

    /// Where ticks are, in per cent, and what is written there: as many decimals as the step has.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 6.0) as usize;
        (0..=(self.end / self.step + 1e-6) as u32).map(move |number| {
            let value = f64::from(number) * self.step;
            let text = if decimals == 0 { thousands(value.round() as usize) } else { format!("{value:.decimals$}") };
            (self.percent(value), text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (axis, expected) in [
            (Axis::beyond(5.07), vec!["0", "2", "4", "6"]),
            (Axis::beyond(1.0), vec!["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (Axis::beyond(1200.0), vec!["0", "500", "1,000", "1,500"]),
            (Axis::to(192.0), vec!["0", "50", "100", "150"]),
        ] {
            assert_eq!(axis.ticks().map(|(_, label)| label).collect::<Vec<_>>(), expected);
        }
        assert_eq!([-1.0, 96.0, 500.0].map(|value| Axis::to(192.0).percent(value)), [0.0, 50.0, 100.0]);
        assert!(Axis::beyond(0.0).ticks().count() < 9 && Axis::beyond(0.0).percent(0.0) == 0.0);
    }
}
