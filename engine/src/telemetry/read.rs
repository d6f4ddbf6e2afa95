//! The text format of Prometheus, read: what a party's own commands ask of its API.

use std::collections::BTreeMap;

/// One number with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// What a party said of itself at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Reads the text. Lines that are none of the format are passed over: a later release may say more.
    pub fn read(text: &str) -> Self {
        Self(text.lines().filter_map(line).collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter()
    }

    /// The value of a number without labels.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find(|sample| sample.name == name && sample.labels.is_empty()).map(|sample| sample.value)
    }

    /// The value of a number under one label.
    pub fn under(&self, name: &str, label: &str, value: &str) -> Option<f64> {
        let is = |sample: &&Sample| sample.labels.get(label).is_some_and(|found| found == value);
        self.iter().filter(|sample| sample.name == name).find(is).map(|sample| sample.value)
    }

    /// The values of a number, by one of its labels; those that share it are added up.
    pub fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut found = BTreeMap::new();
        for sample in self.iter().filter(|sample| sample.name == name) {
            if let Some(value) = sample.labels.get(label) {
                *found.entry(value.clone()).or_default() += sample.value;
            }
        }
        found
    }

    /// All values of a number added up.
    pub fn sum(&self, name: &str) -> f64 {
        self.iter().filter(|sample| sample.name == name).map(|sample| sample.value).sum()
    }
}

/// `name{label="value",...} 1.5`.
fn line(line: &str) -> Option<Sample> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, rest)) = head.split_once('{') else {
        return Some(Sample { name: head.into(), labels: BTreeMap::new(), value });
    };
    let mut labels = BTreeMap::new();
    // Values are words of this program: none has a comma, a quote or a backslash.
    for pair in rest.strip_suffix('}')?.split(',').filter(|pair| !pair.is_empty()) {
        let (label, value) = pair.split_once('=')?;
        labels.insert(label.into(), value.strip_prefix('"')?.strip_suffix('"')?.into());
    }
    Some(Sample { name: name.into(), labels, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_is_read() {
        let text = "# HELP a b\n# TYPE a gauge\na 1\nb{peer=\"2\",step=\"answer\"} 2.5\nb{peer=\"3\",step=\"answer\"} 4\n\n\
                    odd line here\nc{x} 1\nd NaN\n";
        let samples = Samples::read(text);
        assert_eq!(samples.get("a"), Some(1.0));
        assert_eq!(samples.get("b"), None, "it has labels");
        assert_eq!(samples.under("b", "peer", "3"), Some(4.0));
        assert_eq!(samples.by("b", "peer"), BTreeMap::from([("2".into(), 2.5), ("3".into(), 4.0)]));
        assert_eq!(Some(samples.sum("b")), Some(6.5));
        assert!(samples.get("d").is_some_and(f64::is_nan));
        assert_eq!(samples.get("c"), None);
    }
}
