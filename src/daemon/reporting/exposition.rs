//! Writes Prometheus' text format: metrics with a name, a type, a help text and labels.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write;

/// A text being written. Each metric is announced once, before its values.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Announces a metric that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str) {
        self.announce(name, "gauge", help);
    }

    /// Announces a metric that only goes up.
    pub fn counter(&mut self, name: &str, help: &str) {
        self.announce(name, "counter", help);
    }

    /// A value without labels.
    pub fn plain(&mut self, name: &str, value: f64) {
        self.line(format_args!("{name} {value}"));
    }

    /// A value with labels.
    pub fn labelled(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
        self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
    }

    /// How often something was within each of the ascending `bounds` and above the one before; `counts` has one more,
    /// for what was above all.
    pub fn histogram(&mut self, name: &str, help: &str, bounds: &[f64], counts: &[u64], sum: f64) {
        self.announce(name, "histogram", help);
        let mut so_far = 0;
        let bounds = bounds.iter().map(f64::to_string).chain(["+Inf".to_string()]);
        for (bound, count) in bounds.zip(counts) {
            so_far += count;
            self.labelled(&format!("{name}_bucket"), &[("le", &bound)], so_far as f64);
        }
        self.plain(&format!("{name}_sum"), sum);
        self.plain(&format!("{name}_count"), so_far as f64);
    }

    /// The finished text.
    pub fn into_text(self) -> String {
        self.0
    }

    fn announce(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a String does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_looks_like_this() {
        let mut out = Exposition::default();
        out.gauge("queue", "What waits.");
        out.labelled("queue", &[("folder", "a \"b\"\\\n"), ("x", "y")], 2.0);
        out.histogram("time_seconds", "Took.", &[0.5, 1.0], &[1, 0, 2], 7.25);
        let expected = "\
# HELP queue What waits.
# TYPE queue gauge
queue{folder=\"a \\\"b\\\"\\\\\\n\",x=\"y\"} 2
# HELP time_seconds Took.
# TYPE time_seconds histogram
time_seconds_bucket{le=\"0.5\"} 1
time_seconds_bucket{le=\"1\"} 1
time_seconds_bucket{le=\"+Inf\"} 3
time_seconds_sum 7.25
time_seconds_count 3
";
        assert_eq!(out.into_text(), expected);
    }
}
